#define _GNU_SOURCE
#include "CReadiness.h"

#ifdef __linux__
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int readiness_open(void) { return epoll_create1(EPOLL_CLOEXEC); }

int readiness_watch(int readiness, int descriptor, uint32_t key, bool writes, bool is_new) {
    struct epoll_event event = {.events = EPOLLIN | (writes ? EPOLLOUT : 0), .data = {.u32 = key}};
    return epoll_ctl(readiness, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event);
}

int readiness_wait(int readiness, uint32_t keys[64], uint64_t nanoseconds) {
    struct epoll_event events[64];
    struct timespec time = {.tv_sec = (time_t)(nanoseconds / 1000000000), .tv_nsec = (long)(nanoseconds % 1000000000)};
    // Not in every C library yet; Linux 5.11 has it.
    int count = (int)syscall(SYS_epoll_pwait2, readiness, events, 64, &time, 0, 0);
    for (int place = 0; place < count; place++) keys[place] = events[place].data.u32;
    return count < 0 ? 0 : count;
}
#else
#include <sys/event.h>
#include <sys/types.h>

int readiness_open(void) { return kqueue(); }

int readiness_watch(int readiness, int descriptor, uint32_t key, bool writes, bool is_new) {
    (void)is_new;
    struct kevent changes[2];
    EV_SET(&changes[0], descriptor, EVFILT_READ, EV_ADD, 0, 0, (void *)(uintptr_t)key);
    EV_SET(&changes[1], descriptor, EVFILT_WRITE, writes ? EV_ADD : EV_ADD | EV_DISABLE, 0, 0, (void *)(uintptr_t)key);
    return kevent(readiness, changes, 2, 0, 0, 0);
}

int readiness_wait(int readiness, uint32_t keys[64], uint64_t nanoseconds) {
    struct kevent events[64];
    struct timespec time = {.tv_sec = (time_t)(nanoseconds / 1000000000), .tv_nsec = (long)(nanoseconds % 1000000000)};
    int found = kevent(readiness, 0, 0, events, 64, &time), count = 0;
    for (int place = 0; place < found; place++) {
        uint32_t key = (uint32_t)(uintptr_t)events[place].udata;
        int known = 0; // one descriptor may be ready for both
        while (known < count && keys[known] != key) known++;
        if (known == count) keys[count++] = key;
    }
    return count;
}
#endif
