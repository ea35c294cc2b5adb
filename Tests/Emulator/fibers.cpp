// Fibers of a block: who can go on is one bit a thread, a switch is one _setjmp and one _longjmp.
#include "fibers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "pages.h"

// The linker's names for where prelude.h puts all static shared memory; null where there is none.
extern "C" char __start_emulator_shared[] __attribute__((weak, visibility("hidden")));
extern "C" char __stop_emulator_shared[] __attribute__((weak, visibility("hidden")));

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace emulator {
namespace {

constexpr size_t stack_bytes = 128 << 10;
constexpr unsigned warps = most_threads / warp_size;
/// So many rounds in which all that a block did was to wait for memory to change.
constexpr long most_pauses = 1 << 20;

struct Fiber {
    jmp_buf context;
    uint3 index;
    // What it waits for, and in a warp operation what it gives and gets.
    Place place;
    Together operation;
    unsigned mask, source;
    uint64_t value, result;
};

/// Each lane of a warp that is used has exactly one of these bits.
struct Warp {
    unsigned ready, at_barrier, together, paused, ended;
};

Fiber fibers[most_threads];
unsigned fibers_made = 0;
Warp warp[warps];
unsigned ready_warps;
Fiber *current;
jmp_buf outside;
const Launch *launch;
char *shared_end;

unsigned running, arrived;
Place barrier_place;
unsigned barrier_first;
Votes votes, last_votes;
long pauses;

unsigned number(const Fiber *fiber) { return unsigned(fiber - fibers); }
unsigned first_bit(unsigned bits) {
    return launch->backwards ? 31u - unsigned(__builtin_clz(bits)) : unsigned(__builtin_ctz(bits));
}

void make_ready(unsigned w, unsigned lanes) {
    warp[w].ready |= lanes;
    if (warp[w].ready) ready_warps |= 1u << w;
}

void take_from_ready(unsigned w, unsigned lanes) {
    warp[w].ready &= ~lanes;
    if (!warp[w].ready) ready_warps &= ~(1u << w);
}

// MARK: Switching

[[noreturn]] void resume(Fiber *fiber) {
    current = fiber;
    threadIdx = fiber->index;
    _longjmp(fiber->context, 1);
}

void describe_waiting(unsigned w, unsigned lanes, const char *what) {
    for (; lanes; lanes &= lanes - 1) {
        const Fiber &fiber = fibers[w * warp_size + unsigned(__builtin_ctz(lanes))];
        fprintf(stderr, "  thread (%u, %u, %u) waits at %s:%d for %s", fiber.index.x, fiber.index.y, fiber.index.z,
                fiber.place.file, fiber.place.line, what);
        if (lanes & warp[w].together) fprintf(stderr, " of lanes 0x%08x", fiber.mask);
        fprintf(stderr, "\n");
    }
}

[[noreturn]] void fail_stuck(const char *what) {
    for (unsigned w = 0; w < warps; w++) {
        describe_waiting(w, warp[w].at_barrier, "the block");
        describe_waiting(w, warp[w].together, "an operation");
        describe_waiting(w, warp[w].paused, "memory to change");
    }
    fail("%s", what);
}

void wake_paused() {
    bool some = false;
    for (unsigned w = 0; w < warps; w++) {
        some |= warp[w].paused != 0;
        make_ready(w, warp[w].paused);
        warp[w].paused = 0;
    }
    if (!some) fail_stuck("no thread can go on");
    if (++pauses > most_pauses) fail_stuck("threads wait for memory that nothing changes");
}

Fiber *first_ready() {
    if (!ready_warps) wake_paused();
    unsigned w = first_bit(ready_warps);
    return &fibers[w * warp_size + first_bit(warp[w].ready)];
}

/// Gives the CPU to the first thread that can go on; returns when `current` may again.
void give_way() {
    Fiber *self = current, *next = running ? first_ready() : nullptr;
    if (next == self || _setjmp(self->context) != 0) return;
    if (!next) _longjmp(outside, 1);
    resume(next);
}

// MARK: Barriers

void open_barrier() {
    for (unsigned w = 0; w < warps; w++) {
        make_ready(w, warp[w].at_barrier);
        warp[w].at_barrier = 0;
    }
    last_votes = votes;
    votes = {};
    arrived = 0;
    pauses = 0;
}

// MARK: Warp operations

uint64_t shuffled(const Fiber &fiber, const Fiber *lanes, unsigned needed) {
    threadIdx = fiber.index;  // for the messages
    if (fiber.source >= warp_size || !(fiber.mask >> fiber.source & 1))
        fail("the shuffle at %s:%d reads from lane %u, which is not in the mask 0x%08x", fiber.place.file,
             fiber.place.line, fiber.source, fiber.mask);
    if (!(needed >> fiber.source & 1))
        fail("the shuffle at %s:%d reads from lane %u, which has ended", fiber.place.file, fiber.place.line,
             fiber.source);
    return lanes[fiber.source].value;
}

/// Carries out the operation of the lanes of `mask` where all that have not ended are there.
void complete_together(unsigned w, unsigned mask) {
    unsigned needed = mask & ~warp[w].ended;
    if (!needed || needed & ~warp[w].together) return;
    Fiber *lanes = &fibers[w * warp_size];
    const Fiber &one = lanes[__builtin_ctz(needed)];
    unsigned ballot = 0;
    for (unsigned rest = needed; rest; rest &= rest - 1) {
        unsigned lane = unsigned(__builtin_ctz(rest));
        const Fiber &other = lanes[lane];
        if (other.mask != mask) return;
        if (other.operation != one.operation || other.place.line != one.place.line)
            fail("lanes of one mask meet in different operations: %s:%d and %s:%d", one.place.file, one.place.line,
                 other.place.file, other.place.line);
        ballot |= unsigned(other.value != 0) << lane;
    }
    for (unsigned rest = needed; rest; rest &= rest - 1) {
        Fiber &fiber = lanes[__builtin_ctz(rest)];
        fiber.result = one.operation == Together::shuffle ? shuffled(fiber, lanes, needed) : ballot;
    }
    threadIdx = current->index;
    warp[w].together &= ~needed;
    make_ready(w, needed);
    pauses = 0;
}

// MARK: A thread's life

/// After the end of a thread: those that waited for it alone go on.
void end_thread() {
    unsigned w = number(current) / warp_size, bit = 1u << lane();
    take_from_ready(w, bit);
    warp[w].ended |= bit;
    running--;
    pauses = 0;
    if (running && arrived == running) open_barrier();
    for (unsigned rest = warp[w].together; rest; rest &= rest - 1) {
        unsigned mask = fibers[w * warp_size + unsigned(__builtin_ctz(rest))].mask;
        if (mask & bit) complete_together(w, mask);
    }
}

/// Where a fiber starts; it is resumed once for each block.
void fiber_main() {
    Fiber *self = current;
    if (_setjmp(self->context) == 0) _longjmp(outside, 1);
    for (;;) {
        launch->kernel->run(launch->arguments);
        end_thread();
        give_way();
    }
}

/// Fibers are kept; tops of stacks are staggered, since threads use the same few bytes of theirs and would push each
/// other out of a cache's sets.
void make_fibers(unsigned count) {
    for (; fibers_made < count; fibers_made++) {
        current = &fibers[fibers_made];
        ucontext_t start, unused;
        getcontext(&start);
        start.uc_stack.ss_sp = guarded_pages(stack_bytes);
        if (!start.uc_stack.ss_sp) fail("no address space for stacks");
        start.uc_stack.ss_size = stack_bytes - fibers_made % 32 * 320;
        start.uc_link = nullptr;
        makecontext(&start, fiber_main, 0);
        if (_setjmp(outside) == 0) swapcontext(&unused, &start);
    }
}

void prepare_block(unsigned threads) {
    ready_warps = 0;
    for (unsigned w = 0; w < warps; w++) {
        unsigned first = w * warp_size, lanes = threads > first ? threads - first : 0;
        warp[w] = {};
        warp[w].ended = lanes >= warp_size ? 0 : ~0u << lanes;
        make_ready(w, ~warp[w].ended);
    }
    running = threads;
    arrived = 0;
    votes = {};
    pauses = 0;
}

/// Shared memory as a block finds it: full of what an earlier one may have left.
void spoil_shared() {
    memset(__start_emulator_shared, 0xFF, size_t(__stop_emulator_shared - __start_emulator_shared));
    memset(shared_end - launch->shared_bytes, 0xFF, launch->shared_bytes);
}

void run_block() {
    prepare_block(blockDim.x * blockDim.y * blockDim.z);
    spoil_shared();
    if (_setjmp(outside) == 0) resume(first_ready());
}

}  // namespace

void run(const Launch &what) {
    unsigned threads = what.block.x * what.block.y * what.block.z;
    make_fibers(threads);
    if (!shared_end) shared_end = (char *)guarded_pages(most_shared_bytes) + pages_of(most_shared_bytes);
    launch = &what;
    gridDim = what.grid;
    blockDim = what.block;
    for (unsigned i = 0; i < threads; i++)
        fibers[i].index = {i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y)};
    for (unsigned z = 0; z < gridDim.z; z++)
        for (unsigned y = 0; y < gridDim.y; y++)
            for (unsigned x = 0; x < gridDim.x; x++) {
                blockIdx = {x, y, z};
                run_block();
            }
    launch = nullptr;
}

Votes barrier(int predicate, Place place) {
    unsigned w = number(current) / warp_size, bit = 1u << lane();
    if (arrived == 0) {
        barrier_place = place;
        barrier_first = number(current);
    } else if (place.line != barrier_place.line || strcmp(place.file, barrier_place.file) != 0) {
        const uint3 &other = fibers[barrier_first].index;
        fail("is at the barrier %s:%d, but thread (%u, %u, %u) at %s:%d", place.file, place.line, other.x, other.y,
             other.z, barrier_place.file, barrier_place.line);
    }
    current->place = place;
    take_from_ready(w, bit);
    warp[w].at_barrier |= bit;
    votes.any |= predicate != 0;
    votes.count += predicate != 0;
    if (++arrived == running) open_barrier();
    give_way();
    return last_votes;
}

uint64_t together(Together operation, unsigned mask, uint64_t value, unsigned source, Place place) {
    unsigned w = number(current) / warp_size, bit = 1u << lane();
    if (!(mask & bit)) fail("takes part in %s:%d, but is not in the mask 0x%08x", place.file, place.line, mask);
    current->place = place;
    current->operation = operation;
    current->mask = mask;
    current->value = value;
    current->source = source;
    take_from_ready(w, bit);
    warp[w].together |= bit;
    Fiber *self = current;
    complete_together(w, mask);
    give_way();
    return self->result;
}

void pause() {
    unsigned w = number(current) / warp_size, bit = 1u << lane();
    current->place = {"__nanosleep", 0};
    take_from_ready(w, bit);
    warp[w].paused |= bit;
    give_way();
}

unsigned lane() { return number(current) % warp_size; }
void *dynamic_shared() { return shared_end - launch->shared_bytes; }

const char *where() {
    static char text[256];
    if (!launch) return "";
    snprintf(text, sizeof text, "kernel %s, block (%u, %u, %u), thread (%u, %u, %u)", launch->kernel->name, blockIdx.x,
             blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
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
