// What the emulated machine is like, and how it misbehaves: from the environment variable RECBLR_EMULATOR
// ("key=value,key=value", read by cuInit) and from recblr_emulator_set. And what has been done so far.
#ifndef EMULATOR_SETTINGS_H
#define EMULATOR_SETTINGS_H

#include <stddef.h>

#define EMULATOR_SETTINGS(X)                                                                                           \
    X(device_count, 1)                                                                                                 \
    X(driver_version, 12090)                                                                                           \
    X(init_error, 0)                                                                                                   \
    X(compute_major, 9)                                                                                                \
    X(compute_minor, 0)                                                                                                \
    X(memory_bytes, 4l << 30)                                                                                          \
    X(nvrtc_major, 12)                                                                                                 \
    X(nvrtc_minor, 9)                                                                                                  \
    /* The n-th kernel from now fails with 700, and everything after it; 0: none, and a failure is forgotten. */      \
    X(fail_launch_after, 0)                                                                                            \
    /* Which blocks and which threads of a block go first: 0 the first, 1 the last, 2 changes with each kernel. And        \
       whether a graph's branch runs where it begins (0), where it ends (1) or now so, now so (2). */                    \
    X(order, 2)                                                                                                        \
    /* Float functions that a GPU approximates err as far as they may: 0 not at all, 1 away from zero, 2 towards it, */ \
    /* 3 one or the other, by the result's bits. */                                                                    \
    X(approximation, 0)

#define EMULATOR_COUNTERS(X)                                                                                           \
    X(launches)         /* calls of cuLaunchKernel, captured ones too */                                               \
    X(kernels)          /* kernels that ran */                                                                         \
    X(products)         /* matrix products that ran */                                                                 \
    X(copies)           /* copies and fillings of memory that ran */                                                   \
    X(graph_launches)   /* calls of cuGraphLaunch */                                                                   \
    X(branches)         /* of captured graphs */                                                                       \
    X(synchronizations) /* of streams and events */                                                                    \
    X(allocations)      /* calls of cuMemAlloc that gave memory */                                                     \
    X(bytes)            /* allocated on the devices now */                                                             \
    X(contexts)         /* retained now */

namespace emulator {

struct Settings {
#define EMULATOR_SETTING(name, value) long name = value;
    EMULATOR_SETTINGS(EMULATOR_SETTING)
#undef EMULATOR_SETTING
};
extern Settings settings;

struct Counters {
#define EMULATOR_COUNTER(name) long name = 0;
    EMULATOR_COUNTERS(EMULATOR_COUNTER)
#undef EMULATOR_COUNTER
};
extern Counters counters;

void read_environment();

}  // namespace emulator

extern "C" {
/// Unknown keys end the program: a test that asks for them is wrong.
__attribute__((visibility("default"))) void recblr_emulator_set(const char *key, long value);
__attribute__((visibility("default"))) long recblr_emulator_count(const char *what);
}

#endif
