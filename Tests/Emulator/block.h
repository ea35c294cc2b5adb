// The block that runs: its threads as fibers, and which of them can go on. Between fibers.cpp, which switches, and
// meetings.cpp, where threads wait for each other.
#ifndef EMULATOR_BLOCK_H
#define EMULATOR_BLOCK_H

#include <setjmp.h>

#include "fibers.h"

// The compiler's own form saves three registers and lets the caller spill what it needs; not every one has it for
// ARM.
#ifdef __x86_64__
typedef void *emulator_context[5];
#define EMULATOR_SAVE(context) __builtin_setjmp(context)
#define EMULATOR_RESUME(context) __builtin_longjmp(context, 1)
#else
typedef jmp_buf emulator_context;
#define EMULATOR_SAVE(context) _setjmp(context)
#define EMULATOR_RESUME(context) _longjmp(context, 1)
#endif

namespace emulator {

struct alignas(64) Fiber {
    uint3 index;
    unsigned warp, lane;
    Place place;  // where it waits
    emulator_context context;
    // What it gives and gets in a warp operation.
    Together operation;
    unsigned mask, source;
    uint64_t value, result;
};

/// Each lane that is used has exactly one of these bits.
struct Warp {
    unsigned ready, at_barrier, together, paused, ended;
};

struct Block {
    const Launch *launch;
    Fiber fibers[most_threads];
    Warp warps[most_threads / warp_size];
    unsigned ready_warps;  // those with a lane that is ready
    Fiber *current;
    unsigned running;      // threads that have not ended
    // The barrier that opens when all of these are there:
    unsigned arrived;
    const Fiber *first_arrived;
    Votes votes, last_votes;
    long pauses;  // since anything else happened
};
extern Block block;

void make_ready(unsigned warp, unsigned lanes);
/// The thread that runs is ready no more; returns its bit, for where it waits instead.
unsigned stop_current();
/// Gives the CPU to the first thread that can go on; returns when the one that called may again.
void give_way();

// What fibers.cpp asks of meetings.cpp:

/// Lets those go on that waited for the thread that just ended alone.
void leave_meetings(unsigned warp, unsigned lane_bit);
/// No thread is ready: wakes those that wait for memory to change, or ends the program where none does.
void wake_paused();

}  // namespace emulator

#endif
