// A matrix product of column-major matrices on the CPU.
#ifndef EMULATOR_MULTIPLY_H
#define EMULATOR_MULTIPLY_H

#include <stddef.h>

namespace emulator {

/// Element (i, j) is base[i + j * stride], or base[j + i * stride] where transposed.
struct Factor {
    const float *base;
    size_t stride;
    bool transposed;
};

/// d = alpha a b + beta c, [rows, depth] x [depth, columns]; c may be d, or null where beta is 0. The factors are
/// rounded to so many bits of mantissa first.
struct Multiplication {
    size_t rows, columns, depth;
    float alpha, beta;
    Factor a, b;
    const float *c;
    size_t c_stride;
    float *d;
    size_t d_stride;
    int mantissa_bits;
};
void multiply(const Multiplication &m);

}  // namespace emulator

#endif
