// Accesses to untouchable memory, and what Clang's and GCC's undefined-behaviour checks report when no library of
// theirs is linked: indices outside of arrays, misaligned vectors (which fault on a GPU only), overflows, divisions
// by zero.
#include "faults.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "fibers.h"
#include "memory.h"

namespace emulator {
namespace {

/// The fault may be the end of a fiber's stack, so that the handler needs one of its own.
alignas(16) char handler_stack[64 << 10];

/// What the program did about such faults before.
struct sigaction segment_before, bus_before;

/// Prints; the access is then made again, and has the effect that it had before.
void explain(int signal, siginfo_t *information, void *) {
    const char *place = where();
    fprintf(stderr, "CUDA emulator: %s: access to address %p, %s\n", *place ? place : "a copy", information->si_addr,
            described(information->si_addr));
    sigaction(signal, signal == SIGBUS ? &bus_before : &segment_before, nullptr);
}

}  // namespace

Faults::Faults() {
    stack_t stack;
    memset(&stack, 0, sizeof stack);
    stack.ss_sp = handler_stack;
    stack.ss_size = sizeof handler_stack;
    sigaltstack(&stack, &stack_before);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = explain;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &action, &segment_before);
    sigaction(SIGBUS, &action, &bus_before);
}

Faults::~Faults() {
    sigaction(SIGSEGV, &segment_before, nullptr);
    sigaction(SIGBUS, &bus_before, nullptr);
    sigaltstack(&stack_before, nullptr);
}

}  // namespace emulator

// MARK: Handlers of the compilers' checks; the names and the data's beginning are their interface.

namespace {
struct Check {
    const char *file;
    uint32_t line, column;
};
struct TypeCheck {
    Check place;
    const void *type;
    uint8_t log_alignment, kind;
};
[[noreturn]] void fail_check(const Check *check, const char *what) {
    emulator::fail("%s:%u: %s", check->file, check->line, what);
}
}  // namespace

extern "C" {
void __ubsan_handle_out_of_bounds_abort(Check *check, uintptr_t index) {
    emulator::fail("%s:%u: index %lld is outside of the array", check->file, check->line, (long long)(intptr_t)index);
}
void __ubsan_handle_type_mismatch_v1_abort(TypeCheck *check, uintptr_t address) {
    emulator::fail("%s:%u: access to address 0x%llx, which is null or no multiple of %u", check->place.file,
                   check->place.line, (unsigned long long)address, 1u << check->log_alignment);
}
#define EMULATOR_CHECK(name, what)                                                                                     \
    void __ubsan_handle_##name##_abort(Check *check, uintptr_t, uintptr_t) { fail_check(check, what); }
EMULATOR_CHECK(shift_out_of_bounds, "shift by a negative number or by too many bits")
EMULATOR_CHECK(add_overflow, "the sum of signed integers overflows")
EMULATOR_CHECK(sub_overflow, "the difference of signed integers overflows")
EMULATOR_CHECK(mul_overflow, "the product of signed integers overflows")
EMULATOR_CHECK(divrem_overflow, "division by zero, or its quotient overflows")
#undef EMULATOR_CHECK
void __ubsan_handle_negate_overflow_abort(Check *check, uintptr_t) { fail_check(check, "the negative overflows"); }
}
