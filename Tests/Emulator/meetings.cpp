// Where the threads of a block wait for each other: barriers, warp operations, memory that another one writes. What
// would be undefined on a GPU ends the program here.
#include <stdio.h>
#include <string.h>

#include "block.h"

namespace emulator {
namespace {

/// So many rounds in which all that a block did was to wait for memory to change.
constexpr long most_pauses = 1 << 20;
constexpr unsigned warps = most_threads / warp_size;

bool same(const Place &a, const Place &b) {
    return a.line == b.line && (a.file == b.file || strcmp(a.file, b.file) == 0);
}

// MARK: Nobody can go on

void describe_waiting(unsigned w, unsigned lanes, const char *what) {
    for (; lanes; lanes &= lanes - 1) {
        const Fiber &fiber = block.fibers[w * warp_size + unsigned(__builtin_ctz(lanes))];
        fprintf(stderr, "  thread (%u, %u, %u) waits at %s:%d for %s", fiber.index.x, fiber.index.y, fiber.index.z,
                fiber.place.file, fiber.place.line, what);
        if (lanes & block.warps[w].together) fprintf(stderr, " of lanes 0x%08x", fiber.mask);
        fprintf(stderr, "\n");
    }
}

[[noreturn]] void fail_stuck(const char *what) {
    for (unsigned w = 0; w < warps; w++) {
        describe_waiting(w, block.warps[w].at_barrier, "the block");
        describe_waiting(w, block.warps[w].together, "an operation");
        describe_waiting(w, block.warps[w].paused, "memory to change");
    }
    fail("%s", what);
}

// MARK: Barriers

void open_barrier() {
    for (unsigned w = 0; w < warps; w++) {
        make_ready(w, block.warps[w].at_barrier);
        block.warps[w].at_barrier = 0;
    }
    block.last_votes = block.votes;
    block.votes = {};
    block.arrived = 0;
    block.pauses = 0;
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

/// Gives each of the lanes that met its result.
void answer(Fiber *lanes, unsigned met) {
    unsigned ballot = 0;
    for (unsigned rest = met; rest; rest &= rest - 1) {
        unsigned lane = unsigned(__builtin_ctz(rest));
        ballot |= unsigned(lanes[lane].value != 0) << lane;
    }
    for (unsigned rest = met; rest; rest &= rest - 1) {
        Fiber &fiber = lanes[__builtin_ctz(rest)];
        fiber.result = fiber.operation == Together::shuffle ? shuffled(fiber, lanes, met) : ballot;
    }
    threadIdx = block.current->index;
}

/// Carries out the operation of the lanes of `mask` where all that have not ended are there.
void complete_together(unsigned w, unsigned mask) {
    Warp &warp = block.warps[w];
    unsigned needed = mask & ~warp.ended;
    if (!needed || needed & ~warp.together) return;
    Fiber *lanes = &block.fibers[w * warp_size];
    const Fiber &one = lanes[__builtin_ctz(needed)];
    for (unsigned rest = needed; rest; rest &= rest - 1) {
        const Fiber &other = lanes[__builtin_ctz(rest)];
        if (other.mask != mask) return;
        if (other.operation != one.operation || !same(other.place, one.place))
            fail("lanes of one mask meet in different operations: %s:%d and %s:%d", one.place.file, one.place.line,
                 other.place.file, other.place.line);
    }
    answer(lanes, needed);
    warp.together &= ~needed;
    make_ready(w, needed);
    block.pauses = 0;
}

}  // namespace

Votes barrier(int predicate, Place place) {
    Fiber *self = block.current;
    self->place = place;
    if (block.arrived == 0) block.first_arrived = self;
    const Fiber &first = *block.first_arrived;
    if (!same(place, first.place))
        fail("is at the barrier %s:%d, but thread (%u, %u, %u) at %s:%d", place.file, place.line, first.index.x,
             first.index.y, first.index.z, first.place.file, first.place.line);
    block.warps[self->warp].at_barrier |= stop_current();
    block.votes.any |= predicate != 0;
    block.votes.count += predicate != 0;
    if (++block.arrived == block.running) open_barrier();
    give_way();
    return block.last_votes;
}

uint64_t together(Together operation, unsigned mask, uint64_t value, unsigned source, Place place) {
    Fiber *self = block.current;
    if (!(mask >> self->lane & 1))
        fail("takes part in %s:%d, but is not in the mask 0x%08x", place.file, place.line, mask);
    self->place = place;
    self->operation = operation;
    self->mask = mask;
    self->value = value;
    self->source = source;
    block.warps[self->warp].together |= stop_current();
    complete_together(self->warp, mask);
    give_way();
    return self->result;
}

void pause() {
    block.current->place = {"__nanosleep", 0};
    unsigned w = block.current->warp;
    block.warps[w].paused |= stop_current();
    give_way();
}

void leave_meetings(unsigned w, unsigned lane_bit) {
    if (block.running && block.arrived == block.running) open_barrier();
    for (unsigned rest = block.warps[w].together; rest; rest &= rest - 1) {
        unsigned mask = block.fibers[w * warp_size + unsigned(__builtin_ctz(rest))].mask;
        if (mask & lane_bit) complete_together(w, mask);
    }
}

void wake_paused() {
    bool some = false;
    for (unsigned w = 0; w < warps; w++) {
        some |= block.warps[w].paused != 0;
        make_ready(w, block.warps[w].paused);
        block.warps[w].paused = 0;
    }
    if (!some) fail_stuck("no thread can go on");
    if (++block.pauses > most_pauses) fail_stuck("threads wait for memory that nothing changes");
}

}  // namespace emulator
