// A VFS over the default one. Only database files are touched, not the log of frames (WAL), whose frames have checksums; it is truncated.
// And memory that is shared through a file gets its place on the disk at once, not when it is first written to.

#include "CSecureDelete.h"
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#ifdef __linux__
#include <errno.h>
#include <sys/mman.h>
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // since Linux 5.14; older ones answer EINVAL
#endif
#endif

enum { largest_page = 65536, database_header = 100 };

// The file of the VFS below, followed by a copy of its methods in which two are ours.
typedef struct {
    sqlite3_io_methods methods;
    int (*write)(sqlite3_file *, const void *, int, sqlite3_int64);
    int (*map)(sqlite3_file *, int, int, int, void volatile **);
} Tail;

static sqlite3_vfs *below;
static sqlite3_vfs vfs;
static int below_size;
static int result;

static Tail *tail(sqlite3_file *file) { return (Tail *)((char *)file + below_size); }

static unsigned number(const unsigned char *bytes) { return (unsigned)bytes[0] << 8 | bytes[1]; }

/// Whether a page of a B-tree has a gap that is not zero, and where. The first byte of other pages is that of a page number, which is less than 2
/// as long as a database has fewer than 2²⁵ pages (`PRAGMA max_page_count`).
static int find_gap(const unsigned char *page, int size, sqlite3_int64 offset, unsigned *begin, unsigned *end) {
    unsigned header = offset == 0 ? database_header : 0;
    if (size < 512 || size > largest_page || (size & (size - 1))) return 0;
    unsigned char kind = page[header];
    if (kind != 2 && kind != 5 && kind != 10 && kind != 13) return 0;
    unsigned cells = number(page + header + 3), content = number(page + header + 5);
    *begin = header + (kind <= 5 ? 12 : 8) + 2 * cells;
    *end = content == 0 ? 65536 : content;
    if (*begin > *end || *end > (unsigned)size) return 0;
    for (unsigned i = *begin; i < *end; i++)
        if (page[i]) return 1;
    return 0;
}

static int write_page(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset) {
    unsigned begin, end;
    if (!find_gap(data, size, offset, &begin, &end)) return tail(file)->write(file, data, size, offset);
    unsigned char page[largest_page];
    memcpy(page, data, size);
    memset(page + begin, 0, end - begin);
    return tail(file)->write(file, page, size, offset);
}

#ifdef __linux__
/// SQLite lengthens the file by single bytes. Where its blocks are smaller than pages of memory, the rest are holes, and on a full disk the
/// first access to one of them would end the process. Memory that may not be written to answers EINVAL.
static int map_shared(sqlite3_file *file, int region, int size, int extend, void volatile **memory) {
    int code = tail(file)->map(file, region, size, extend, memory);
    if (code != SQLITE_OK || !*memory) return code;
    if (madvise((void *)*memory, (size_t)size, MADV_POPULATE_WRITE) == 0 || errno == EINVAL) return SQLITE_OK;
    *memory = 0;
    return SQLITE_FULL;
}
#endif

static int open_file(sqlite3_vfs *unused, const char *name, sqlite3_file *file, int flags, int *out_flags) {
    (void)unused;
    int code = below->xOpen(below, name, file, flags, out_flags);
    if (code != SQLITE_OK || !(flags & SQLITE_OPEN_MAIN_DB) || !file->pMethods) return code;
    Tail *ours = tail(file);
    ours->methods = *file->pMethods;
    ours->write = ours->methods.xWrite;
    ours->methods.xWrite = write_page;
#ifdef __linux__
    ours->map = ours->methods.xShmMap;
    ours->methods.xShmMap = map_shared;
#endif
    file->pMethods = &ours->methods;
    return code;
}

static void register_once(void) {
    if ((result = sqlite3_initialize()) != SQLITE_OK) return;
    below = sqlite3_vfs_find(0);
    vfs = *below;
    below_size = (below->szOsFile + 15) & ~15;
    vfs.zName = "recblr-secure-delete";
    vfs.szOsFile = below_size + (int)sizeof(Tail);
    vfs.xOpen = open_file;
    result = sqlite3_vfs_register(&vfs, 1);
}

int recblr_register_secure_delete(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_once);
    return result;
}
