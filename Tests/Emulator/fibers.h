// What a GPU's multiprocessor does: the threads of a block as fibers of one CPU thread. A fiber runs until a barrier,
// a warp operation or its end; then the first one that can go on does, so that which thread gets how far is always
// the same, and as far from a GPU's lockstep as can be. Launches that run backwards do so with the last thread and
// the last block.
#ifndef EMULATOR_FIBERS_H
#define EMULATOR_FIBERS_H

#include <stddef.h>
#include <stdint.h>

struct uint3 {
    unsigned x, y, z;
};
struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;

namespace emulator {

constexpr unsigned warp_size = 32, most_threads = 1024;
constexpr size_t most_shared_bytes = 48 << 10;

/// A kernel as the table that scripts/emulator.sh writes has it; `run` is one thread's work.
struct Kernel {
    const char *name;
    void (*run)(const void *arguments);
    size_t argument_bytes;
    unsigned most_threads;
};
/// All kernels; one without a name ends them.
extern const Kernel kernels[];

struct Launch {
    const Kernel *kernel;
    const void *arguments;
    dim3 grid, block;
    size_t shared_bytes;
    bool backwards;
};
/// Runs the blocks one after the other, x fastest; from the last one where it runs backwards.
void run(const Launch &launch);
/// What runs now, as "kernel NAME, block (..), thread (..)"; empty where no kernel does.
const char *where();

/// A place in a kernel's source, for messages and to tell barriers apart.
struct Place {
    const char *file;
    int line;
};

struct Votes {
    int any, count;
};
/// Waits for all threads of the block that have not ended; counts those with a non-zero predicate.
Votes barrier(int predicate, Place place);

/// What the lanes of a mask do together: each gives a value and gets that of `source`, or one bit of each lane.
enum class Together { wait, shuffle, ballot };
uint64_t together(Together operation, unsigned mask, uint64_t value, unsigned source, Place place);

/// Lets others go on first: for a thread that waits for what another one writes.
void pause();

unsigned lane();
void *dynamic_shared();

/// Prints what happened and where, and aborts.
[[noreturn]] void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace emulator

#endif
