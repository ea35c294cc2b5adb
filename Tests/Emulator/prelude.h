// CUDA's C++ on a CPU: what NVIDIA's compiler knows without any header, as far as our kernels use it.
#ifndef EMULATOR_PRELUDE_H
#define EMULATOR_PRELUDE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "approximate.h"
#include "fibers.h"

#define RECBLR_EMULATOR 1

#ifndef EMULATOR_LISTING  // left standing where scripts/emulator.sh looks for the kernels
#define __global__
#define __launch_bounds__(...)
#endif
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __align__(bytes) __attribute__((aligned(bytes)))
// Blocks run one after the other: one copy serves all. Clang can put them into a section of its own, to spoil them
// before each block; "used" keeps it from reasoning about what they may hold.
#ifdef __clang__
#define __shared__ static __attribute__((section("emulator_shared"), used))
#else
#define __shared__ static
#endif
#define DYNAMIC_SHARED(type, name) type *name = (type *)emulator::dynamic_shared()

// MARK: Vectors

struct __align__(8) int2 { int x, y; };
struct __align__(16) int4 { int x, y, z, w; };
struct __align__(8) uint2 { unsigned x, y; };
struct __align__(16) uint4 { unsigned x, y, z, w; };
struct __align__(8) float2 { float x, y; };
struct __align__(16) float4 { float x, y, z, w; };
struct __align__(16) double2 { double x, y; };
inline int2 make_int2(int x, int y) { return {x, y}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline double2 make_double2(double x, double y) { return {x, y}; }

// MARK: Barriers and warps. The caller's line comes as a default argument.

#define EMULATOR_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(EMULATOR_HERE) { emulator::barrier(0, {file, line}); }
inline int __syncthreads_or(int predicate, EMULATOR_HERE) { return emulator::barrier(predicate, {file, line}).any; }
inline int __syncthreads_and(int predicate, EMULATOR_HERE) { return !emulator::barrier(!predicate, {file, line}).any; }
inline int __syncthreads_count(int predicate, EMULATOR_HERE) { return emulator::barrier(predicate, {file, line}).count; }

namespace emulator {
template <class Number> Number shuffle(unsigned mask, Number value, unsigned source, Place place) {
    static_assert(sizeof(Number) == 4 || sizeof(Number) == 8, "shuffles move words");
    uint64_t bits = 0;
    __builtin_memcpy(&bits, &value, sizeof value);
    bits = together(Together::shuffle, mask, bits, source, place);
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}
/// The lane where this one's group of `width` ends.
inline unsigned group_end(int width) { return lane() | unsigned(width - 1); }
inline unsigned ballot(unsigned mask, int predicate, Place place) {
    return unsigned(together(Together::ballot, mask, predicate != 0, 0, place));
}
}  // namespace emulator

inline void __syncwarp(unsigned mask = ~0u, EMULATOR_HERE) {
    emulator::together(emulator::Together::wait, mask, 0, 0, {file, line});
}
template <class Number> Number __shfl_sync(unsigned mask, Number value, int source, int width = 32, EMULATOR_HERE) {
    unsigned start = emulator::lane() & ~unsigned(width - 1);
    return emulator::shuffle(mask, value, start | (unsigned(source) & unsigned(width - 1)), {file, line});
}
template <class Number>
Number __shfl_up_sync(unsigned mask, Number value, unsigned delta, int width = 32, EMULATOR_HERE) {
    unsigned lane = emulator::lane(), within = lane & unsigned(width - 1);
    return emulator::shuffle(mask, value, within >= delta ? lane - delta : lane, {file, line});
}
template <class Number>
Number __shfl_down_sync(unsigned mask, Number value, unsigned delta, int width = 32, EMULATOR_HERE) {
    unsigned lane = emulator::lane(), source = lane + delta;
    return emulator::shuffle(mask, value, source <= emulator::group_end(width) ? source : lane, {file, line});
}
template <class Number> Number __shfl_xor_sync(unsigned mask, Number value, int bits, int width = 32, EMULATOR_HERE) {
    unsigned lane = emulator::lane(), source = lane ^ unsigned(bits);
    return emulator::shuffle(mask, value, source <= emulator::group_end(width) ? source : lane, {file, line});
}
inline unsigned __ballot_sync(unsigned mask, int predicate, EMULATOR_HERE) {
    return emulator::ballot(mask, predicate, {file, line});
}
inline int __any_sync(unsigned mask, int predicate, EMULATOR_HERE) {
    return emulator::ballot(mask, predicate, {file, line}) != 0;
}
inline int __all_sync(unsigned mask, int predicate, EMULATOR_HERE) {
    return emulator::ballot(mask, !predicate, {file, line}) == 0;
}
inline void __nanosleep(unsigned) { emulator::pause(); }

// MARK: Memory. One thread runs at a time, so that everything is atomic and ordered.

inline void __threadfence() {}
inline void __threadfence_block() {}
template <class T> T __ldg(const T *address) { return *address; }
template <class T> T __ldcg(const T *address) { return *address; }
template <class T> T __ldcs(const T *address) { return *address; }
template <class T> void __stcg(T *address, T value) { *address = value; }
template <class T> void __stcs(T *address, T value) { *address = value; }

namespace emulator {
template <class T> struct Same { typedef T type; };
template <class T, class Function> T replace(T *address, Function next) {
    T before = *address;
    *address = next(before);
    return before;
}
}  // namespace emulator
template <class T> T atomicAdd(T *address, typename emulator::Same<T>::type value) {
    return emulator::replace(address, [=](T now) { return T(now + value); });
}
template <class T> T atomicMax(T *address, typename emulator::Same<T>::type value) {
    return emulator::replace(address, [=](T now) { return now > value ? now : value; });
}
template <class T> T atomicMin(T *address, typename emulator::Same<T>::type value) {
    return emulator::replace(address, [=](T now) { return now < value ? now : value; });
}
template <class T> T atomicOr(T *address, typename emulator::Same<T>::type value) {
    return emulator::replace(address, [=](T now) { return now | value; });
}
template <class T> T atomicExch(T *address, typename emulator::Same<T>::type value) {
    return emulator::replace(address, [=](T) { return value; });
}
template <class T>
T atomicCAS(T *address, typename emulator::Same<T>::type expected, typename emulator::Same<T>::type value) {
    return emulator::replace(address, [=](T now) { return now == expected ? value : now; });
}

// MARK: Numbers

#define EMULATOR_MIN_MAX(type)                                                                                         \
    inline type min(type a, type b) { return b < a ? b : a; }                                                          \
    inline type max(type a, type b) { return a < b ? b : a; }
EMULATOR_MIN_MAX(int)
EMULATOR_MIN_MAX(unsigned)
EMULATOR_MIN_MAX(long)
EMULATOR_MIN_MAX(unsigned long)
EMULATOR_MIN_MAX(long long)
EMULATOR_MIN_MAX(unsigned long long)
#undef EMULATOR_MIN_MAX
inline unsigned min(int a, unsigned b) { return min(unsigned(a), b); }
inline unsigned min(unsigned a, int b) { return min(a, unsigned(b)); }
inline unsigned max(int a, unsigned b) { return max(unsigned(a), b); }
inline unsigned max(unsigned a, int b) { return max(a, unsigned(b)); }
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

inline float __fadd_rn(float x, float y) {
    volatile float sum = x + y;  // never fused with a product
    return sum;
}
inline float __fmul_rn(float x, float y) {
    volatile float product = x * y;
    return product;
}
inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }

namespace emulator {
template <class To, class From> To bits(From x) {
    static_assert(sizeof(To) == sizeof(From), "the same bits");
    To y;
    __builtin_memcpy(&y, &x, sizeof y);
    return y;
}
}  // namespace emulator
inline unsigned __float_as_uint(float x) { return emulator::bits<unsigned>(x); }
inline float __uint_as_float(unsigned x) { return emulator::bits<float>(x); }
inline int __float_as_int(float x) { return emulator::bits<int>(x); }
inline float __int_as_float(int x) { return emulator::bits<float>(x); }
inline long long __double_as_longlong(double x) { return emulator::bits<long long>(x); }
inline double __longlong_as_double(long long x) { return emulator::bits<double>(x); }

inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned(uint64_t(a) * b >> 32); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __clz(int x) { return x ? __builtin_clz(unsigned(x)) : 32; }
inline int __ffs(int x) { return __builtin_ffs(x); }

// MARK: The table of kernels

namespace emulator {
template <auto kernel, class Arguments> void run_thread(const void *arguments) {
    kernel(*static_cast<const Arguments *>(arguments));
}
template <auto kernel, class Arguments>
constexpr Kernel entry(const char *name, void (*)(Arguments), unsigned threads = most_threads, unsigned = 0) {
    return {name, run_thread<kernel, Arguments>, sizeof(Arguments), threads};
}
}  // namespace emulator
/// With the launch bounds, where there are some.
#define EMULATOR_KERNEL(name, ...) emulator::entry<name>(#name, name, ##__VA_ARGS__)

#endif
