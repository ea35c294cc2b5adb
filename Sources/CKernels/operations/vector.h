// Vectors of WIDTH floats and the few functions the operations are made of. Included once per instruction set.
#include <math.h>
#include <string.h>

#pragma clang fp contract(fast)

typedef float vf __attribute__((vector_size(4 * WIDTH)));
typedef int32_t vi __attribute__((vector_size(4 * WIDTH)));
typedef uint32_t vu __attribute__((vector_size(4 * WIDTH)));
typedef uint64_t vu64 __attribute__((vector_size(8 * WIDTH)));
typedef vf vf_unaligned __attribute__((aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))
// `m` floats from column `c` on: a whole vector, or what is left of a row of `n`.
#define FOR_VECTORS(c, m, from, n) \
    for (ptrdiff_t c = (from), m; c < (n) && (m = (n) - c < WIDTH ? (n) - c : WIDTH, 1); c += WIDTH)

INLINE vf set1(float x) { return (vf){0} + x; }
INLINE vf load(const float *p, ptrdiff_t m) {
    if (__builtin_expect(m == WIDTH, 1)) return *(const vf_unaligned *)p;
    vf x = {0};
    memcpy(&x, p, (size_t)m * sizeof(float));
    return x;
}
INLINE void store(float *p, vf x, ptrdiff_t m) {
    if (__builtin_expect(m == WIDTH, 1)) *(vf_unaligned *)p = x;
    else memcpy(p, &x, (size_t)m * sizeof(float));
}
INLINE vf vmax(vf a, vf b) { return __builtin_elementwise_max(a, b); }
INLINE vf vmin(vf a, vf b) { return __builtin_elementwise_min(a, b); }
INLINE vf vsqrt(vf a) { return __builtin_elementwise_sqrt(a); }
INLINE float sum(vf x) {
    float s = 0;
    for (int i = 0; i < WIDTH; i++) s += x[i];
    return s;
}
INLINE float largest(vf x) {
    float s = x[0];
    for (int i = 1; i < WIDTH; i++) s = x[i] > s ? x[i] : s;
    return s;
}

// x = n·ln 2 + r with |r| ≤ ln 2 / 2; returns 2ⁿ and leaves (eʳ − 1) in *p. Valid for −87 ≤ x ≤ 88.
// eʳ − 1 = r + r² · (1/2! + r/3! + … + r⁵/7!): error below one unit in the last place on that interval.
INLINE vf exp_parts(vf x, vf *p) {
    vf n = __builtin_elementwise_roundeven(x * 1.44269504f);
    vf r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    vf q = set1(1.0f / 5040);
    q = q * r + 1.0f / 720;
    q = q * r + 1.0f / 120;
    q = q * r + 1.0f / 24;
    q = q * r + 1.0f / 6;
    q = q * r + 0.5f;
    *p = q * r * r + r;
    vi bits = (__builtin_convertvector(n, vi) + 127) << 23;
    return (vf)bits;
}
// eˣ; 0 ≤ result below −87, finite above 88.
INLINE vf vexp(vf x) {
    vf p, two = exp_parts(vmin(vmax(x, set1(-87.0f)), set1(88.0f)), &p);
    return two + two * p;
}
// eˣ − 1 for x ≤ 0, in [−1, 0], with full relative precision near 0.
INLINE vf vexpm1_negative(vf x) {
    vf p, two = exp_parts(vmax(x, set1(-87.0f)), &p);
    return vmax(two * p + (two - 1.0f), set1(-1.0f));
}
INLINE vf sigmoid(vf x) { return 1.0f / (1.0f + vexp(-x)); }
// d/dx (x·σ(x)), given s = σ(x).
INLINE vf silu_slope(vf x, vf s) { return s * (1.0f + x * (1.0f - s)); }
