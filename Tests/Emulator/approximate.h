// Functions of floats with the errors that NVIDIA documents where divisions and roots are approximate: CUDA C++ Programming
// Guide, "Mathematical Functions", and as the setting `approximation` says.
#ifndef EMULATOR_APPROXIMATE_H
#define EMULATOR_APPROXIMATE_H

#include <float.h>
#include <math.h>
#include <stdint.h>

#include "settings.h"

namespace emulator {

/// x, so many units in its last place further from zero or nearer to it. Zeros, infinities and NaN stay what they are.
inline float moved(float x, uint32_t units) {
    if (settings.approximation == 0 || !(fabsf(x) >= 2 * FLT_MIN && fabsf(x) < FLT_MAX / 2)) return x;
    uint32_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    bool away = settings.approximation == 3 ? (bits * 0x9E3779B9u) >> 31 : settings.approximation == 1;
    bits += away ? units : -units;
    __builtin_memcpy(&x, &bits, sizeof x);
    return x;
}

inline bool is_power_of_two(float x) {
    int exponent;
    return fabsf(frexpf(x, &exponent)) == 0.5f;
}

inline float approximate_exp2(float x) { return x == floorf(x) ? exp2f(x) : moved(exp2f(x), 2); }
inline float approximate_sqrt(float x) { return moved(sqrtf(x), 1); }
inline float approximate_rsqrt(float x) { return moved(float(1 / sqrt(double(x))), 2); }
inline float approximate_exp(float x) { return x == 0 ? 1.0f : moved(expf(x), 2); }
inline float approximate_log(float x) { return moved(logf(x), 1); }
inline float approximate_log1p(float x) { return moved(log1pf(x), 1); }

}  // namespace emulator

/// Every x / y of the kernels (scripts/emulator.sh). Of doubles, so that it isn't one of them; rounding twice does no harm here.
extern "C" __attribute__((used)) inline float emulator_divide(float x, float y) {
    float quotient = float(double(x) / double(y));
    return emulator::is_power_of_two(y) ? quotient : emulator::moved(quotient, x == 1 ? 1 : 2);
}
inline float __fdiv_rn(float x, float y) { return float(double(x) / double(y)); }

#define exp2f emulator::approximate_exp2
#define sqrtf emulator::approximate_sqrt
#define rsqrtf emulator::approximate_rsqrt
#define expf emulator::approximate_exp
#define logf emulator::approximate_log
#define log1pf emulator::approximate_log1p

#endif
