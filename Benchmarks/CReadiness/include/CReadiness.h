#pragma once
#include <stdbool.h>
#include <stdint.h>

/// Waits for many descriptors, at a cost that does not grow with those that are not ready, and for nanoseconds: `poll` can neither.
/// Returns a descriptor of its own, -1 on failure.
int readiness_open(void);

/// From now on `descriptor` is ready when it can be read, with `writes` also when it can be written. Returns 0, -1 on failure.
int readiness_watch(int readiness, int descriptor, uint32_t key, bool writes, bool is_new);

/// Puts the keys of those that are ready into `keys`, at most 64 and each once; returns how many, 0 when the time is over.
int readiness_wait(int readiness, uint32_t keys[64], uint64_t nanoseconds);
