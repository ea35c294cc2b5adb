// A library for LD_PRELOAD that makes a disk and a clock go wrong, under orders from another process.
//
// FAULTS_FILES: a folder; only files in it are touched.
// FAULTS_CONTROL: a file that holds a `struct control`, which the test changes while the program runs.
// FAULTS_JOURNAL: where given, every change of a file goes there too, with what it replaced, and every fsync: disk.py makes of it what a
// disk could hold after power was lost.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control {
    int32_t write_error, sync_error, read_error, unused;
    int64_t clock_offset; // seconds
};

// One entry of the journal; the file's name, the bytes that were there and those that came follow.
struct entry {
    uint64_t kind; // 0: write, 1: sync
    uint64_t number, upto, offset, size_before, name_length, old_length, new_length;
};

static volatile struct control *control;
static const char *files;
static int journal = -1;
static uint64_t count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((typeof(&name))real(#name))
static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULTS_CONTROL"), *place = getenv("FAULTS_JOURNAL");
    files = getenv("FAULTS_FILES");
    if (!path || !files) return;
    int file = open(path, O_RDWR | O_CLOEXEC);
    void *memory = file < 0 ? MAP_FAILED : mmap(0, sizeof(struct control), PROT_READ, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) abort();
    control = memory;
    if (place) journal = open(place, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

// The name of an open file below the folder, "" where it is none of those.
static void name_of(int file, char *name, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = control ? readlink(link, name, size - 1) : -1;
    name[length < 0 ? 0 : length] = 0;
    if (strncmp(name, files, control ? strlen(files) : 0) != 0) name[0] = 0;
}

static void note(struct entry entry, const char *name, const void *old, const void *new) {
    entry.number = ++count;
    entry.name_length = strlen(name);
    struct iovec parts[] = {
        {&entry, sizeof entry}, {(void *)name, entry.name_length}, {(void *)old, entry.old_length}, {(void *)new, entry.new_length}};
    if (REAL(writev)(journal, parts, 4) < 0) abort();
}

static ssize_t change(int file, const void *bytes, size_t length, off_t offset, ssize_t (*act)(int, const void *, size_t, off_t)) {
    char name[4096];
    name_of(file, name, sizeof name);
    if (!name[0]) return act(file, bytes, length, offset);
    if (control->write_error) return errno = control->write_error, -1;
    if (journal < 0) return act(file, bytes, length, offset);
    pthread_mutex_lock(&lock);
    struct stat status;
    fstat(file, &status);
    off_t place = offset < 0 ? lseek(file, 0, SEEK_CUR) : offset;
    char *old = malloc(length ? length : 1);
    ssize_t there = REAL(pread)(file, old, length, place);
    note((struct entry){.offset = (uint64_t)place, .size_before = (uint64_t)status.st_size,
                        .old_length = there < 0 ? 0 : (uint64_t)there, .new_length = length}, name, old, bytes);
    free(old);
    ssize_t done = act(file, bytes, length, offset);
    pthread_mutex_unlock(&lock);
    return done;
}

static ssize_t act_pwrite(int file, const void *bytes, size_t length, off_t offset) {
    return REAL(pwrite)(file, bytes, length, offset);
}
static ssize_t act_write(int file, const void *bytes, size_t length, off_t offset) {
    (void)offset;
    return REAL(write)(file, bytes, length);
}
ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) { return change(file, bytes, length, offset, act_pwrite); }
ssize_t pwrite64(int file, const void *bytes, size_t length, off_t offset) { return change(file, bytes, length, offset, act_pwrite); }
ssize_t write(int file, const void *bytes, size_t length) { return change(file, bytes, length, -1, act_write); }

static int cut(int file, off_t length) {
    char name[4096];
    name_of(file, name, sizeof name);
    if (name[0] && control->write_error) return errno = control->write_error, -1;
    if (!name[0] || journal < 0) return REAL(ftruncate)(file, length);
    pthread_mutex_lock(&lock);
    struct stat status;
    fstat(file, &status);
    size_t lost = status.st_size > length ? (size_t)(status.st_size - length) : 0;
    char *old = malloc(lost ? lost : 1);
    ssize_t there = REAL(pread)(file, old, lost, length);
    // A cut is a write of nothing: the file ends at `offset`.
    note((struct entry){.offset = (uint64_t)length, .size_before = (uint64_t)status.st_size,
                        .old_length = there < 0 ? 0 : (uint64_t)there}, name, old, "");
    free(old);
    int done = REAL(ftruncate)(file, length);
    pthread_mutex_unlock(&lock);
    return done;
}
int ftruncate(int file, off_t length) { return cut(file, length); }
int ftruncate64(int file, off_t length) { return cut(file, length); }

static int sync_file(int file, int (*act)(int)) {
    char name[4096];
    name_of(file, name, sizeof name);
    if (name[0] && control->sync_error) return errno = control->sync_error, -1;
    if (!name[0] || journal < 0) return act(file);
    pthread_mutex_lock(&lock);
    uint64_t upto = count;
    pthread_mutex_unlock(&lock);
    int done = act(file);
    pthread_mutex_lock(&lock);
    if (done == 0) note((struct entry){.kind = 1, .upto = upto}, name, "", "");
    pthread_mutex_unlock(&lock);
    return done;
}
int fsync(int file) { return sync_file(file, REAL(fsync)); }
int fdatasync(int file) { return sync_file(file, REAL(fdatasync)); }

static ssize_t look(int file, void *bytes, size_t length, off_t offset) {
    if (control && control->read_error) {
        char name[4096];
        name_of(file, name, sizeof name);
        if (name[0]) return errno = control->read_error, -1;
    }
    return REAL(pread)(file, bytes, length, offset);
}
ssize_t pread(int file, void *bytes, size_t length, off_t offset) { return look(file, bytes, length, offset); }
ssize_t pread64(int file, void *bytes, size_t length, off_t offset) { return look(file, bytes, length, offset); }

int clock_gettime(clockid_t clock, struct timespec *time) {
    int done = REAL(clock_gettime)(clock, time);
    if (done == 0 && clock == CLOCK_REALTIME && control) time->tv_sec += control->clock_offset;
    return done;
}
int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    int done = REAL(gettimeofday)(time, zone);
    if (done == 0 && control) time->tv_sec += control->clock_offset;
    return done;
}
time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}
