// The best rows of a table for some vectors. Scores stay in registers: a tile of them is compared with the worst of each
// vector's best rows so far, and only where one is as high the tile is looked at more closely.

// Bit i is set where mask[i] is.
INLINE uint64_t bits(vi mask) {
    typedef bool vb __attribute__((ext_vector_type(WIDTH)));
    vb small = __builtin_convertvector(mask, vb);
    uint64_t all = 0;
    memcpy(&all, &small, sizeof small);
    return all & ((1ull << WIDTH) - 1);
}

// Offers those of a panel's scores that may enter. `row` is the panel's first row, and `candidates` says which of its rows count.
static void offer_scores(ck_query *q, const float *scores, uint64_t hits, ptrdiff_t row) {
    for (; hits; hits &= hits - 1) {
        int c = __builtin_ctzll(hits);
        ck_offer(q, (int32_t)(row + c), scores[c]);
    }
}

INLINE void rank_tile(int rows, ptrdiff_t depth, const float *vectors, ptrdiff_t ld, const float *panel, ptrdiff_t row,
                      ck_query *queries) {
    vf sum[TILE_ROWS][TILE_VECTORS];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < TILE_VECTORS; v++) sum[r][v] = set1(0);
    add_products(rows, depth, vectors, ld, 1, panel, sum);
    UNROLL for (int r = 0; r < rows; r++) {
        vf bound = set1(queries[r].bound);
        vi any = {0};
        UNROLL for (int v = 0; v < TILE_VECTORS; v++) any |= sum[r][v] >= bound;
        if (__builtin_expect(__builtin_reduce_or(any) == 0, 1)) continue;
        float scores[PANEL];
        uint64_t hits = 0;
        for (int v = 0; v < TILE_VECTORS; v++) {
            store(scores + v * WIDTH, sum[r][v], WIDTH);
            hits |= bits(sum[r][v] >= bound) << (v * WIDTH);
        }
        offer_scores(queries + r, scores, hits & queries[r].candidates[row / 64] >> row % 64, row);
    }
}

// The table [rows, depth] that `panels` holds.
static void rank_rows(const float *panels, ptrdiff_t rows, ptrdiff_t depth, const float *vectors, ptrdiff_t ld,
                      ck_query *queries, ptrdiff_t count) {
    for (ptrdiff_t row = 0; row < rows; row += PANEL) {
        const float *panel = panels + row * depth;
#define TILE(n) rank_tile(n, depth, vectors + q * ld, ld, panel, row, queries + q)
        FOR_EACH_TILE(q, count)
#undef TILE
    }
}

#include "listed.h"
