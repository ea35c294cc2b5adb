#define _GNU_SOURCE
#include "CPolling.h"

int poll_nanoseconds(struct pollfd *entries, int count, uint64_t nanoseconds) {
#ifdef __linux__
    struct timespec time = {.tv_sec = (time_t)(nanoseconds / 1000000000), .tv_nsec = (long)(nanoseconds % 1000000000)};
    return ppoll(entries, (nfds_t)count, &time, 0);
#else
    return poll(entries, (nfds_t)count, (int)(nanoseconds / 1000000));
#endif
}
