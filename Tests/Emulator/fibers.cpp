// Fibers of a block and the blocks of a grid: who can go on is one bit a thread, a switch saves one context and
// resumes another.
#include "fibers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "block.h"
#include "pages.h"

// The linker's names for where prelude.h puts all static shared memory; null where there is none.
extern "C" char __start_emulator_shared[] __attribute__((weak, visibility("hidden")));
extern "C" char __stop_emulator_shared[] __attribute__((weak, visibility("hidden")));

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace emulator {

Block block;

namespace {

constexpr size_t stack_bytes = 128 << 10;

unsigned fibers_made = 0;
emulator_context outside;
char *shared_end;

// MARK: Switching

unsigned first_bit(unsigned bits) {
    return block.launch->backwards ? 31u - unsigned(__builtin_clz(bits)) : unsigned(__builtin_ctz(bits));
}

Fiber *first_ready() {
    if (!block.ready_warps) wake_paused();
    unsigned w = first_bit(block.ready_warps);
    return &block.fibers[w * warp_size + first_bit(block.warps[w].ready)];
}

[[noreturn]] void resume(Fiber *fiber) {
    block.current = fiber;
    threadIdx = fiber->index;
    EMULATOR_RESUME(fiber->context);
}

// MARK: A thread's life

void end_thread() {
    unsigned w = block.current->warp, bit = stop_current();
    block.warps[w].ended |= bit;
    block.running--;
    block.pauses = 0;
    leave_meetings(w, bit);
}

/// Where a fiber starts; it is resumed once for each block.
void fiber_main() {
    if (EMULATOR_SAVE(block.current->context) == 0) EMULATOR_RESUME(outside);
    for (;;) {
        block.launch->kernel->run(block.launch->arguments);
        end_thread();
        give_way();
    }
}

/// Fibers are kept; tops of stacks are staggered, since threads use the same few bytes of theirs and would push each
/// other out of a cache's sets.
void make_fibers(unsigned count) {
    for (; fibers_made < count; fibers_made++) {
        block.current = &block.fibers[fibers_made];
        block.current->warp = fibers_made / warp_size;
        block.current->lane = fibers_made % warp_size;
        ucontext_t start, unused;
        getcontext(&start);
        start.uc_stack.ss_sp = guarded_pages(stack_bytes);
        if (!start.uc_stack.ss_sp) fail("no address space for stacks");
        start.uc_stack.ss_size = stack_bytes - fibers_made % 32 * 320;
        start.uc_link = nullptr;
        makecontext(&start, fiber_main, 0);
        if (EMULATOR_SAVE(outside) == 0) swapcontext(&unused, &start);
    }
}

// MARK: Blocks

void prepare_block(unsigned threads) {
    block.ready_warps = 0;
    for (unsigned w = 0; w < most_threads / warp_size; w++) {
        unsigned first = w * warp_size, lanes = threads > first ? threads - first : 0;
        block.warps[w] = {};
        block.warps[w].ended = lanes >= warp_size ? 0 : ~0u << lanes;
        make_ready(w, ~block.warps[w].ended);
    }
    block.running = threads;
    block.arrived = 0;
    block.votes = {};
    block.pauses = 0;
}

/// Shared memory as a block finds it: full of what an earlier one may have left.
void spoil_shared() {
    memset(__start_emulator_shared, 0xFF, size_t(__stop_emulator_shared - __start_emulator_shared));
    memset(dynamic_shared(), 0xFF, block.launch->shared_bytes);
}

void run_block() {
    prepare_block(blockDim.x * blockDim.y * blockDim.z);
    spoil_shared();
    if (EMULATOR_SAVE(outside) == 0) resume(first_ready());
}

}  // namespace

void run(const Launch &launch) {
    unsigned threads = launch.block.x * launch.block.y * launch.block.z;
    make_fibers(threads);
    if (!shared_end) shared_end = (char *)guarded_pages(most_shared_bytes) + pages_of(most_shared_bytes);
    block.launch = &launch;
    gridDim = launch.grid;
    blockDim = launch.block;
    for (unsigned i = 0; i < threads; i++)
        block.fibers[i].index = {i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y)};
    size_t blocks = size_t(gridDim.x) * gridDim.y * gridDim.z;
    for (size_t i = 0; i < blocks; i++) {
        size_t number = launch.backwards ? blocks - 1 - i : i, row = number / gridDim.x;
        blockIdx = {unsigned(number % gridDim.x), unsigned(row % gridDim.y), unsigned(row / gridDim.y)};
        run_block();
    }
    block.launch = nullptr;
}

void make_ready(unsigned warp, unsigned lanes) {
    block.warps[warp].ready |= lanes;
    if (block.warps[warp].ready) block.ready_warps |= 1u << warp;
}

unsigned stop_current() {
    unsigned w = block.current->warp, bit = 1u << block.current->lane;
    block.warps[w].ready &= ~bit;
    if (!block.warps[w].ready) block.ready_warps &= ~(1u << w);
    return bit;
}

void give_way() {
    Fiber *self = block.current, *next = block.running ? first_ready() : nullptr;
    if (next == self || EMULATOR_SAVE(self->context) != 0) return;
    if (!next) EMULATOR_RESUME(outside);
    resume(next);
}

unsigned lane() { return block.current->lane; }

/// Alignment of the end to 16 bytes may leave a few bytes that nobody asked for before the page that faults.
void *dynamic_shared() { return shared_end - (block.launch->shared_bytes + 15) / 16 * 16; }

const char *where() {
    static char text[256];
    if (!block.launch) return "";
    snprintf(text, sizeof text, "kernel %s, block (%u, %u, %u), thread (%u, %u, %u)", block.launch->kernel->name,
             blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
    return text;
}

void fail(const char *format, ...) {
    const char *place = where();
    fprintf(stderr, "CUDA emulator: %s%s", place, *place ? ": " : "");
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    abort();
}

}  // namespace emulator
