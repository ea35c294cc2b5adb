#ifndef RECBLR_FAULTY_DISK_H
#define RECBLR_FAULTY_DISK_H

#include <stdint.h>

/// What SQLite asks of a disk.
enum recblr_disk_operation { recblr_disk_write, recblr_disk_truncate, recblr_disk_sync, recblr_disk_delete };

/// Called before each operation on a file; an SQLite result code other than 0 makes it fail. `size` is that of the data, or the new size of the
/// file.
typedef int (*recblr_disk_watcher)(
    enum recblr_disk_operation operation, const char *path, const void *data, int64_t size, int64_t offset);

/// Puts a VFS that calls `watcher` over the default one, for all databases that are opened from now on. Syncs do not reach the real disk: what
/// is lost, the watcher decides. To be called once.
int recblr_watch_disk(recblr_disk_watcher watcher);

#endif
