// Runs before the constructors of shared libraries, so only system calls and functions that allocate no memory are used here.
#include "CStartup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

// EX_OSERR of sysexits.
enum { system_error = 71 };

// A closed standard descriptor would be reused for the next file that is opened, and messages would be written into that
// file. It is opened in the wrong direction instead: reading from standard input and writing to the other two stay
// errors, as they were.
static void open_standard_descriptors(void) {
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
        // The lowest free number is this one.
        if (open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY) == -1) open("/", O_RDONLY);
    }
}

// Exits where a limit is so low that libraries would crash sooner or later.
static void require(int resource, rlim_t least, const char *sentence) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) == -1 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= least) return;
    if (write(STDERR_FILENO, sentence, strlen(sentence)) == -1) { /* nobody hears it */ }
    _exit(system_error);
}

static void require_limits(void) {
    require(RLIMIT_NOFILE, 32, "recblr: fewer than 32 files may be open at once: raise the limit (ulimit -n)\n");
    require(RLIMIT_DATA, 16 << 20, "recblr: data may take less than 16 MiB: raise the limit (ulimit -d)\n");
    require(RLIMIT_STACK, 256 << 10, "recblr: the stack may have less than 256 KiB: raise the limit (ulimit -s)\n");
}

#if defined(__linux__)
// OpenBLAS starts a thread for each processor when it is loaded, each with a buffer of 128 MiB. A thread whose buffer does not fit
// into the limits of memory tries again for ever, and a thread that may not be started ends the program. They are not wanted:
// CPUBackend has threads of its own. Only the environment keeps OpenBLAS from it, and the C library takes the environment
// from the block where `environment` lies, which cannot grow: one of its variables, which libraries do not use, is replaced
// until their constructors have run.
static char one_thread[] = "OPENBLAS_NUM_THREADS=1";
// Volatile: optimisers run constructors at build time, before this has been set, and drop what they find to do nothing.
static char **volatile lent_place, *lent_variable;

static int begins_with(const char *text, const char *beginning) {
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

static int matters_to_libraries(const char *variable) {
    static const char *const names[] = {"OPENBLAS_", "GOTO_", "OMP_", "SWIFT_", "LD_", "MALLOC_", "GLIBC_", "LIBDISPATCH_", "LLVM_"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (begins_with(variable, names[i])) return 1;
    return 0;
}

// Restarts the program with one more variable. Where that fails, nothing changes.
static void execute_with_one_thread(char **arguments, char **environment) {
    size_t count = 0;
    while (environment[count]) count++;
    char *longer[count + 2];
    memcpy(longer, environment, count * sizeof *longer);
    longer[count] = one_thread;
    longer[count + 1] = NULL;
    execve("/proc/self/exe", arguments, longer);
}

static void keep_openblas_to_one_thread(char **arguments, char **environment) {
    for (char **place = environment; *place; place++) {
        if (begins_with(*place, "OPENBLAS_NUM_THREADS=")) {
            *place = one_thread;
            return;
        }
    }
    for (char **place = environment; *place; place++) {
        if (matters_to_libraries(*place)) continue;
        lent_place = place;
        lent_variable = *place;
        *place = one_thread;
        return;
    }
    execute_with_one_thread(arguments, environment);
}

static void start(int count, char **arguments, char **environment) {
    (void)count;
    open_standard_descriptors();
    require_limits();
    keep_openblas_to_one_thread(arguments, environment);
}
__attribute__((section(".preinit_array"), used)) static void (*const starts)(int, char **, char **) = start;

// A program's own constructors run after those of its libraries.
__attribute__((constructor)) static void give_back_variable(void) {
    if (lent_place) *lent_place = lent_variable;
}
#else
__attribute__((constructor)) static void start(void) {
    open_standard_descriptors();
    require_limits();
}
#endif
