// Matrix products of bfloat16 operands with float32 sums, for processors with AVX512-BF16.
//
// VDPBF16PS multiplies 16 pairs of pairs: sum[j] += a[2p] · b[2p, j] + a[2p + 1] · b[2p + 1, j]. So both operands are
// rounded and regrouped into pairs along k: a "pair" below is two neighbours along k in 32 bits. The right operand
// becomes panels of 64 columns, [k / 2] rows of 64 pairs; the left one is packed block by block inside the product.
#include "CKernels.h"

#if defined(__x86_64__)
#include <float.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"))), \
                             apply_to = function)

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#include "operations/tile.h"
// Vectors of a tile's row: 6 · 4 registers of 32, beside 4 of the panel and a broadcast.
#define VECTORS 4
#define PANEL (16 * VECTORS)
// Rows and depth of the left operand's packed block: 96 KB, in the second-level cache.
#define BLOCK_ROWS 96
#define BLOCK_DEPTH 512

INLINE ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
INLINE __mmask16 first(ptrdiff_t count) { return count >= 16 ? 0xFFFF : count <= 0 ? 0 : (__mmask16)((1u << count) - 1); }

// 16 pairs (low, high), rounded to nearest, ties to even.
INLINE __m512i pairs_of(__m512 low, __m512 high) {
    const __m512i interleave = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(interleave, (__m512i)_mm512_cvtne2ps_pbh(high, low));
}
// The 16 pairs of 32 neighbours in memory, of which `count` exist.
INLINE __m512i pairs_in_row(const float *x, ptrdiff_t count) {
    __m512 low = _mm512_maskz_loadu_ps(first(count), x);
    __m512 high = count > 16 ? _mm512_maskz_loadu_ps(first(count - 16), x + 16) : _mm512_setzero_ps();
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

// x[i] lane j ↔ x[j] lane i.
INLINE void transpose(__m512i x[16]) {
    __m512i y[16];
    UNROLL for (int i = 0; i < 16; i += 2) {
        y[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
        y[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
    }
    UNROLL for (int i = 0; i < 16; i += 4) {
        x[i] = _mm512_unpacklo_epi64(y[i], y[i + 2]);
        x[i + 1] = _mm512_unpackhi_epi64(y[i], y[i + 2]);
        x[i + 2] = _mm512_unpacklo_epi64(y[i + 1], y[i + 3]);
        x[i + 3] = _mm512_unpackhi_epi64(y[i + 1], y[i + 3]);
    }
    UNROLL for (int i = 0; i < 4; i++) {
        y[i] = _mm512_shuffle_i32x4(x[i], x[i + 4], 0x88);
        y[i + 4] = _mm512_shuffle_i32x4(x[i], x[i + 4], 0xDD);
        y[i + 8] = _mm512_shuffle_i32x4(x[i + 8], x[i + 12], 0x88);
        y[i + 12] = _mm512_shuffle_i32x4(x[i + 8], x[i + 12], 0xDD);
    }
    UNROLL for (int i = 0; i < 4; i++) {
        x[i] = _mm512_shuffle_i32x4(y[i], y[i + 8], 0x88);
        x[i + 8] = _mm512_shuffle_i32x4(y[i], y[i + 8], 0xDD);
        x[i + 4] = _mm512_shuffle_i32x4(y[i + 4], y[i + 12], 0x88);
        x[i + 12] = _mm512_shuffle_i32x4(y[i + 4], y[i + 12], 0xDD);
    }
}

// Pairs along rows of x [depth, columns]: out[p · width + j] = (x[2p, j], x[2p + 1, j]), zero beyond depth and columns.
static void pack_down(ptrdiff_t depth, ptrdiff_t columns, const float *x, ptrdiff_t ld, ptrdiff_t width, uint32_t *out) {
    for (ptrdiff_t p = 0; 2 * p < depth; p++) {
        const float *low = x + 2 * p * ld;
        for (ptrdiff_t j = 0; j < width; j += 16) {
            __mmask16 mask = first(columns - j);
            __m512 high = 2 * p + 1 < depth ? _mm512_maskz_loadu_ps(mask, low + ld + j) : _mm512_setzero_ps();
            _mm512_storeu_si512(out + p * width + j, pairs_of(_mm512_maskz_loadu_ps(mask, low + j), high));
        }
    }
}

// Pairs along columns of x [columns, depth] (the same matrix, transposed): out as above.
static void pack_across(ptrdiff_t depth, ptrdiff_t columns, const float *x, ptrdiff_t ld, ptrdiff_t width, uint32_t *out) {
    const ptrdiff_t pairs = (depth + 1) / 2;
    for (ptrdiff_t j = 0; j < width; j += 16) {
        for (ptrdiff_t p = 0; p < pairs; p += 16) {
            __m512i x16[16];
            UNROLL for (int i = 0; i < 16; i++)
                x16[i] = j + i < columns ? pairs_in_row(x + (j + i) * ld + 2 * p, depth - 2 * p) : _mm512_setzero_si512();
            transpose(x16);
            for (ptrdiff_t i = 0; i < least(16, pairs - p); i++) _mm512_storeu_si512(out + (p + i) * width + j, x16[i]);
        }
    }
}

// Rows of pairs: out[r · pairs + p] = (x[r, 2p], x[r, 2p + 1]); zero beyond depth.
static void pack_rows(ptrdiff_t rows, ptrdiff_t depth, const float *x, ptrdiff_t ld, uint32_t *out) {
    const ptrdiff_t pairs = (depth + 1) / 2;
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t p = 0; p < pairs; p += 16)
            _mm512_mask_storeu_epi32(out + r * pairs + p, first(pairs - p), pairs_in_row(x + r * ld + 2 * p, depth - 2 * p));
}

// sum[rows, 64] = left · panel. Pair p of left's row r is left[r · rs + p · ps].
INLINE void add_products(int rows, ptrdiff_t pairs, const uint32_t *left, ptrdiff_t rs, ptrdiff_t ps,
                         const uint32_t *panel, __m512 sum[TILE_ROWS][VECTORS]) {
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] = _mm512_setzero_ps();
    for (ptrdiff_t p = 0; p < pairs; p++) {
        __m512bh right[VECTORS];
        UNROLL for (int v = 0; v < VECTORS; v++) right[v] = (__m512bh)_mm512_loadu_si512(panel + p * PANEL + 16 * v);
        UNROLL for (int r = 0; r < rows; r++) {
            __m512bh pair = (__m512bh)_mm512_set1_epi32((int)left[r * rs + p * ps]);
            UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] = _mm512_dpbf16_ps(sum[r][v], pair, right[v]);
        }
    }
}

// c[rows, 64] (or fewer: `columns`) = or += left · panel.
INLINE void tile(int rows, ptrdiff_t pairs, const uint32_t *left, ptrdiff_t rs, ptrdiff_t ps, const uint32_t *panel,
                 float *c, ptrdiff_t ldc, ptrdiff_t columns, bool accumulate) {
    __m512 sum[TILE_ROWS][VECTORS];
    add_products(rows, pairs, left, rs, ps, panel, sum);
    UNROLL for (int v = 0; v < VECTORS; v++) {
        __mmask16 mask = first(columns - 16 * v);
        UNROLL for (int r = 0; r < rows; r++) {
            float *at = c + r * ldc + 16 * v;
            if (accumulate) sum[r][v] = _mm512_add_ps(sum[r][v], _mm512_maskz_loadu_ps(mask, at));
            _mm512_mask_storeu_ps(at, mask, sum[r][v]);
        }
    }
}

static void tiles(ptrdiff_t rows, ptrdiff_t pairs, const uint32_t *left, ptrdiff_t rs, ptrdiff_t ps,
                  const uint32_t *panel, float *c, ptrdiff_t ldc, ptrdiff_t columns, bool accumulate) {
#define TILE(n) tile(n, pairs, left + r * rs, rs, ps, panel, c + r * ldc, ldc, columns, accumulate)
    FOR_EACH_TILE(r, rows)
#undef TILE
}

static void pack(ptrdiff_t k, ptrdiff_t n, const float *b, ptrdiff_t ld, bool transposed, uint32_t *panels) {
    const ptrdiff_t pairs = (k + 1) / 2;
    for (ptrdiff_t j = 0; j < n; j += PANEL, panels += pairs * PANEL) {
        if (transposed) pack_across(k, least(PANEL, n - j), b + j * ld, ld, PANEL, panels);
        else pack_down(k, least(PANEL, n - j), b + j, ld, PANEL, panels);
    }
}

static void multiply(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda, bool transposed,
                     const uint32_t *panels, float *c, ptrdiff_t ldc, bool accumulate, uint32_t *block) {
    const ptrdiff_t panel_size = (k + 1) / 2 * PANEL;
    for (ptrdiff_t from = 0; from < k; from += BLOCK_DEPTH) {
        const ptrdiff_t depth = least(BLOCK_DEPTH, k - from), pairs = (depth + 1) / 2;
        for (ptrdiff_t i = 0; i < m; i += BLOCK_ROWS) {
            const ptrdiff_t rows = least(BLOCK_ROWS, m - i);
            if (transposed) pack_down(depth, rows, a + from * lda + i, lda, BLOCK_ROWS, block);
            else pack_rows(rows, depth, a + i * lda + from, lda, block);
            const ptrdiff_t rs = transposed ? 1 : pairs, ps = transposed ? BLOCK_ROWS : 1;
            for (ptrdiff_t j = 0; j < n; j += PANEL)
                tiles(rows, pairs, block, rs, ps, panels + j / PANEL * panel_size + from / 2 * PANEL, c + i * ldc + j, ldc,
                      n - j, accumulate || from > 0);
        }
    }
}

#include "operations/rounded_ranking.h"

static const ck_bfloat16 table = {
    .panel = PANEL,
    .block_size = BLOCK_ROWS * BLOCK_DEPTH / 2,
    .pack = pack,
    .multiply = multiply,
    .pack_table = pack_table,
    .pack_vectors = pack_vectors,
    .rank_rows = rank_rows,
};
#pragma clang attribute pop
#endif

const ck_bfloat16 *ck_bfloat16_kernels(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return &table;
#endif
    return NULL;
}
