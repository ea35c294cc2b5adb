#pragma once
#include <poll.h>
#include <stdint.h>

/// `poll` that waits for nanoseconds where the system can, else for milliseconds: too coarse for a schedule of requests.
int poll_nanoseconds(struct pollfd *entries, int count, uint64_t nanoseconds);
