// Runs before the constructors of shared libraries, so only functions of the C library are used here, and nothing of it
// that allocates.
#include "CStartup.h"

#include <errno.h>
#include <fcntl.h>

// A standard descriptor that is closed would become that of the next file that is opened, and messages would be written
// into that file. It is opened the wrong way round instead: reading from standard input and writing to the other two stay
// errors, as they were.
static void open_standard_descriptors(void) {
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
        // The lowest free number is this one.
        if (open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY) == -1) open("/", O_RDONLY);
    }
}

#if defined(__linux__)
static void start(int count, char **arguments, char **environment) {
    (void)count, (void)arguments, (void)environment;
    open_standard_descriptors();
}
__attribute__((section(".preinit_array"), used)) static void (*const starts)(int, char **, char **) = start;
#else
__attribute__((constructor)) static void start(void) { open_standard_descriptors(); }
#endif
