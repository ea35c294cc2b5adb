#include "CFaultyDisk.h"
#include <sqlite3.h>

// The file of the VFS below, followed by a copy of its methods in which some are ours.
typedef struct {
    sqlite3_io_methods methods;
    const sqlite3_io_methods *below;
    const char *path;
} Tail;

static sqlite3_vfs *below;
static sqlite3_vfs vfs;
static int below_size;
static recblr_disk_watcher watch;

static Tail *tail(sqlite3_file *file) { return (Tail *)((char *)file + below_size); }

static int write_file(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset) {
    int code = watch(recblr_disk_write, tail(file)->path, data, size, offset);
    return code ? code : tail(file)->below->xWrite(file, data, size, offset);
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size) {
    int code = watch(recblr_disk_truncate, tail(file)->path, 0, size, 0);
    return code ? code : tail(file)->below->xTruncate(file, size);
}

static int sync_file(sqlite3_file *file, int flags) {
    (void)flags;
    return watch(recblr_disk_sync, tail(file)->path, 0, 0, 0);
}

static int delete_file(sqlite3_vfs *unused, const char *path, int sync) {
    (void)unused;
    int code = watch(recblr_disk_delete, path, 0, 0, 0);
    return code ? code : below->xDelete(below, path, sync);
}

static int open_file(sqlite3_vfs *unused, const char *path, sqlite3_file *file, int flags, int *out_flags) {
    (void)unused;
    int code = below->xOpen(below, path, file, flags, out_flags);
    if (code != SQLITE_OK || !path || !file->pMethods) return code;
    Tail *ours = tail(file);
    ours->methods = *file->pMethods;
    ours->below = file->pMethods;
    ours->path = path;  // SQLite keeps it as long as the file is open
    ours->methods.xWrite = write_file;
    ours->methods.xTruncate = truncate_file;
    ours->methods.xSync = sync_file;
    file->pMethods = &ours->methods;
    return code;
}

int recblr_watch_disk(recblr_disk_watcher watcher) {
    int code = sqlite3_initialize();
    if (code != SQLITE_OK) return code;
    watch = watcher;
    below = sqlite3_vfs_find(0);
    vfs = *below;
    below_size = (below->szOsFile + 15) & ~15;
    vfs.zName = "recblr-faulty-disk";
    vfs.szOsFile = below_size + (int)sizeof(Tail);
    vfs.xOpen = open_file;
    vfs.xDelete = delete_file;
    return sqlite3_vfs_register(&vfs, 1);
}
