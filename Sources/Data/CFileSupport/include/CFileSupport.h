#pragma once

#include "codecs.h"

/// Exchanges two paths atomically. 0, or the system's error: EINVAL, ENOSYS or ENOTSUP where it is not supported.
int recblr_exchange(const char *first, const char *second);
/// Renames, unless something is at `target`. 0, or the system's error as above, EEXIST where something is.
int recblr_rename_new(const char *source, const char *target);
