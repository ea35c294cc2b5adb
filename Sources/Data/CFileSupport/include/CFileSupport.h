#pragma once

/// Swaps what two paths lead to, at one moment. 0, or the system's error: EINVAL, ENOSYS or ENOTSUP where it cannot do this.
int recblr_exchange(const char *first, const char *second);
/// Renames, but only where nothing is at `target` yet. 0, or the system's error as above, EEXIST where something is.
int recblr_rename_new(const char *source, const char *target);
