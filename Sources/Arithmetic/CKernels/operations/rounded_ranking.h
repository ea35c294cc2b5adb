// The best rows of a table, exactly, from products of rounded operands (for bfloat16.c).
//
// Let h be a vector, e a row of the table, D their length, ĥ and ê the two rounded to bfloat16, s the float32 score as
// `rank_rows` of ck_kernels computes it, and γ = (D + 4) · 2⁻²³ / (1 − (D + 4) · 2⁻²³). A sum of D + 2 products that is rounded
// after each addition, relatively by at most 2⁻²³ (twice what rounding to nearest needs), is off by at most γ · Σ |products|, in any
// order (Higham, "Accuracy and stability of numerical algorithms", 2002, section 3.1); so is s. By Cauchy and Schwarz,
//
//     s ≤ h · e + γ ‖h‖ ‖e‖
//     h · e = ĥ · ê + h · (e − ê) + (h − ĥ) · ê ≤ ĥ · ê + ‖h‖ ‖e − ê‖ + ‖h − ĥ‖ ‖ê‖.
//
// One more pair of factors makes the rounded product an upper bound U of s: (x, y) of the row and (α, β) of the vector with
//
//     x ≥ ‖e − ê‖      y ≥ max(‖e‖, ‖ê‖)
//     α ≥ ‖h‖ / (1 − γ)      β ≥ (‖h − ĥ‖ + γ (‖h‖ + ‖ĥ‖)) / (1 − γ).
//
// What is computed for ĥ · ê + α x + β y is at least ĥ · ê + α x + β y − γ (‖ĥ‖ ‖ê‖ + α x + β y)
// ≥ ĥ · ê + ‖h‖ ‖e − ê‖ + (‖h − ĥ‖ + γ ‖h‖ + γ ‖ĥ‖) y − γ ‖ĥ‖ ‖ê‖ ≥ s.
//
// The instruction treats numbers below 2⁻¹²⁶ as zero: at most 2⁻¹²⁶ for each product and each addition, which the comparison allows for
// (`cut`). Where a sum might overflow, α is infinite, and U infinite or NaN. So a row whose U is less than the
// worst score of the best rows so far is not among the best; all others are scored again, exactly as `rank_rows` of ck_kernels does.

#define FUSED 1
#include "listed.h"

// The least bfloat16 ≥ x ≥ 0 that is not taken for zero; infinity for NaN.
static uint32_t rounded_up(double x) {
    if (!(x <= FLT_MAX)) return 0x7F80;
    float f = (float)x;
    if ((double)f < x) f = nextafterf(f, INFINITY);
    if (f < FLT_MIN) f = FLT_MIN;
    uint32_t b;
    memcpy(&b, &f, sizeof b);
    return (b + 0xFFFF) >> 16;
}

// The norms of x, of its rounded copy in `pairs`, one every `step`, and of the difference; a little more, for the roundings here.
typedef struct { double own, rounded, difference; } norms;
static norms norms_of(ptrdiff_t depth, const float *x, const uint32_t *pairs, ptrdiff_t step) {
    double own = 0, rounded = 0, difference = 0;
    for (ptrdiff_t p = 0; p < depth; p++) {
        uint32_t pair = pairs[p / 2 * step], b = p % 2 == 0 ? pair << 16 : pair & 0xFFFF0000;
        float f;
        memcpy(&f, &b, sizeof f);
        double given = (double)x[p], near = fabsf(f) < FLT_MIN ? 0 : (double)f;
        own += given * given;
        rounded += near * near;
        difference += (given - near) * (given - near);
    }
    const double more = 1 + 1e-9;
    return (norms){sqrt(own) * more, sqrt(rounded) * more, sqrt(difference) * more};
}

static double pack_table(ptrdiff_t rows, ptrdiff_t depth, const float *table, ptrdiff_t ld, uint32_t *panels) {
    const ptrdiff_t pairs = (depth + 1) / 2;
    double largest = 0;
    for (ptrdiff_t row = 0; row < rows; row += PANEL, panels += (pairs + 1) * PANEL) {
        const ptrdiff_t columns = least(PANEL, rows - row);
        pack_across(depth, columns, table + row * ld, ld, PANEL, panels);
        for (ptrdiff_t c = 0; c < PANEL; c++) {
            norms n = {0};
            if (c < columns) n = norms_of(depth, table + (row + c) * ld, panels + c, PANEL);
            double y = n.own > n.rounded ? n.own : n.rounded;
            if (!(y <= largest)) largest = y;
            panels[pairs * PANEL + c] = rounded_up(n.difference) | rounded_up(y) << 16;
        }
    }
    return largest;
}

static void pack_vectors(ptrdiff_t count, ptrdiff_t depth, const float *vectors, ptrdiff_t ld, double largest_norm,
                         uint32_t *out) {
    const ptrdiff_t pairs = (depth + 1) / 2;
    const double part = (double)(depth + 4) * 0x1p-23, gamma = part < 0.5 ? part / (1 - part) : INFINITY;
    for (ptrdiff_t r = 0; r < count; r++, out += pairs + 1) {
        const float *vector = vectors + r * ld;
        pack_rows(1, depth, vector, ld, out);
        norms n = norms_of(depth, vector, out, 1);
        double alpha = n.own / (1 - gamma), beta = (n.difference + gamma * (n.own + n.rounded)) / (1 - gamma);
        // A quarter: the sums of U stay below ‖ĥ‖ ‖ê‖ + α x + β y.
        bool is_safe = gamma < 0.5 && (n.own + n.rounded) * largest_norm < FLT_MAX / 4 && n.rounded < FLT_MAX;
        out[pairs] = is_safe ? rounded_up(alpha) | rounded_up(beta) << 16 : 0x7F807F80;
    }
}

// Less than the bound of a query, by all that may have been taken for zero.
static void set_cut(ck_query *q, ptrdiff_t depth) {
    q->cut = nextafterf(q->bound - (float)(depth + 4) * 0x1p-124f, -INFINITY);
}

// Scores again, and offers, the rows of a panel whose bits are set.
static void score_again(const ck_rounded_table *t, const float *vector, uint64_t hits, ptrdiff_t row, ck_query *q) {
    const float nothing[8] = {-0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f};  // changes no score, not even −0
    while (hits) {
        int32_t rows[8];
        ptrdiff_t n = 0;
        for (; hits && n < 8; hits &= hits - 1) rows[n++] = (int32_t)(row + __builtin_ctzll(hits));
        rank_listed(t->depth, vector, t->rows, t->ld, rows, nothing, n, q);
    }
    set_cut(q, t->depth);
}

INLINE void rank_tile(int rows, const ck_rounded_table *t, const uint32_t *left, ptrdiff_t pairs, const uint32_t *panel,
                      const float *vectors, ptrdiff_t ld, ptrdiff_t row, ck_query *queries) {
    __m512 sum[TILE_ROWS][VECTORS];
    add_products(rows, pairs, left, pairs, 1, panel, sum);
    UNROLL for (int r = 0; r < rows; r++) {
        const __m512 least = _mm512_set1_ps(queries[r].cut);
        __mmask16 hits[VECTORS], any = 0;
        UNROLL for (int v = 0; v < VECTORS; v++) {
            hits[v] = _mm512_cmp_ps_mask(sum[r][v], least, _CMP_NLT_UQ);
            any |= hits[v];
        }
        if (__builtin_expect(any == 0, 1)) continue;
        uint64_t all = 0;
        for (int v = 0; v < VECTORS; v++) all |= (uint64_t)hits[v] << 16 * v;
        all &= queries[r].candidates[row / 64];
        if (all) score_again(t, vectors + r * ld, all, row, queries + r);
    }
}

static void rank_rows(const ck_rounded_table *t, ptrdiff_t rows, const float *vectors, ptrdiff_t ld,
                      const uint32_t *vector_pairs, ck_query *queries, ptrdiff_t count) {
    const ptrdiff_t pairs = (t->depth + 1) / 2 + 1;
    for (ptrdiff_t q = 0; q < count; q++) set_cut(queries + q, t->depth);
    for (ptrdiff_t row = 0; row < rows; row += PANEL) {
#define TILE(n)                                                                                           \
    rank_tile(n, t, vector_pairs + q * pairs, pairs, t->panels + row * pairs, vectors + q * ld, ld, row, \
              queries + q)
        FOR_EACH_TILE(q, count)
#undef TILE
    }
}
