// Vectors of WIDTH floats and the functions that operations use. Included once for each instruction set.
#include <math.h>
#include <string.h>

#pragma clang fp contract(fast)

typedef float vf __attribute__((vector_size(4 * WIDTH)));
typedef int32_t vi __attribute__((vector_size(4 * WIDTH)));
typedef uint32_t vu __attribute__((vector_size(4 * WIDTH)));
typedef uint64_t vu64 __attribute__((vector_size(4 * WIDTH)));  // half as many
typedef vf vf_unaligned __attribute__((aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
// `m` floats from column `c` on: a whole vector, or the rest of a row of `n`.
#define FOR_VECTORS(c, m, from, n) \
    for (ptrdiff_t c = (from), m; c < (n) && (m = (n) - c < WIDTH ? (n) - c : WIDTH, 1); c += WIDTH)

INLINE vf set1(float x) { return x - (vf){0}; }  // not + 0, which would turn −0 into 0
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
INLINE vf choose(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
// One instruction each on x86, unlike fmax and fmin; the second operand where either is NaN.
INLINE vf vmax(vf a, vf b) { return choose(a > b, a, b); }
INLINE vf vmin(vf a, vf b) { return choose(a < b, a, b); }
// a · b + c, rounded once where the instruction set can. Elsewhere `a * b + c` is left to the compiler, which may contract one of two
// copies of a loop and not the other: not where two of them have to give the same bits.
INLINE vf multiply_add(vf a, vf b, vf c) {
#if FUSED
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}
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
    const float magic = 12582912.0f;  // 1.5 · 2²³: adding it rounds to a whole number, which is then in the low bits
    vf shifted = x * 1.44269504f + magic, n = shifted - magic;
    vf r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    vf q = set1(1.0f / 5040);
    q = q * r + 1.0f / 720;
    q = q * r + 1.0f / 120;
    q = q * r + 1.0f / 24;
    q = q * r + 1.0f / 6;
    q = q * r + 0.5f;
    *p = q * r * r + r;
    return (vf)(((vu)shifted + 127) << 23);
}
// eˣ; 0 ≤ result below −87, finite above 88; NaN stays NaN.
INLINE vf vexp(vf x) {
    vf p, two = exp_parts(vmin(set1(88.0f), vmax(set1(-87.0f), x)), &p);
    return two + two * p;
}
// eˣ − 1 for x ≤ 0, in [−1, 0], with full relative precision near 0; NaN stays NaN.
INLINE vf vexpm1_negative(vf x) {
    vf p, two = exp_parts(vmax(set1(-87.0f), x), &p);
    return vmax(set1(-1.0f), two * p + (two - 1.0f));
}
// log(1 + x) for x ≥ 0, with full relative precision near 0. With 1 + x = 2ⁿ · m, 1/√2 ≤ m < √2, and s = (m − 1) / (m + 1):
// log m = 2 · (s + s³/3 + s⁵/5 + …), of which the terms left out are less than 3e-9 of it. What 1 + x rounds off comes back as a quotient.
INLINE vf vlog1p(vf x) {
    vf y = 1.0f + x, lost = x - (y - 1.0f);
    vi n = ((vi)y - 0x3F3504F3) >> 23;
    vf m = (vf)((vi)y - (n << 23)) - 1.0f, s = m / (2.0f + m), t = s * s, e = __builtin_convertvector(n, vf);
    vf q = set1(2.0f / 9);
    q = q * t + 2.0f / 7;
    q = q * t + 2.0f / 5;
    q = q * t + 2.0f / 3;
    return e * 0.693359375f + (2.0f * s + (q * t * s + (lost / y - e * 2.12194440e-4f)));
}
// The clamp comes before the sign change, which lets the compiler use one instruction for it.
INLINE vf sigmoid(vf x) {
    vf p, two = exp_parts(-vmin(set1(87.0f), vmax(set1(-88.0f), x)), &p);
    return 1.0f / (1.0f + two + two * p);
}
// d/dx (x·σ(x)), given s = σ(x).
INLINE vf silu_slope(vf x, vf s) { return s * (1.0f + x * (1.0f - s)); }
