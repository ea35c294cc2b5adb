// Matrix products whose sums have one order whatever the shapes: the terms of an element are added one after the other
// along k, so that a row's result does not depend on the rows that are computed with it, nor on how many.
//
// Vectors lie along the columns of the output. The right operand is packed into panels of PANEL columns, [k] rows each, zero
// beyond the last column; a tile of sums stays in registers while k runs.

#include "tile.h"

// Registers: 6 · 4 of 32 beside 4 of the panel and a broadcast, or 6 · 2 of 16.
#define TILE_VECTORS (WIDTH == 16 ? 4 : 2)
#define PANEL (TILE_VECTORS * WIDTH)
// Rows of the left operand that stay in the first-level cache while panels pass.
#define BLOCK_ROWS 48

// Adds the products of `rows` rows with one panel to `sum`. Element p of row r is a[r · rs + p · ps].
INLINE void add_products(int rows, ptrdiff_t depth, const float *a, ptrdiff_t rs, ptrdiff_t ps, const float *panel,
                         vf sum[TILE_ROWS][TILE_VECTORS]) {
    for (ptrdiff_t p = 0; p < depth; p++, a += ps, panel += PANEL) {
        vf right[TILE_VECTORS];
        UNROLL for (int v = 0; v < TILE_VECTORS; v++) right[v] = load(panel + v * WIDTH, WIDTH);
        UNROLL for (int r = 0; r < rows; r++) {
            vf left = set1(a[r * rs]);
            UNROLL for (int v = 0; v < TILE_VECTORS; v++) sum[r][v] = multiply_add(left, right[v], sum[r][v]);
        }
    }
}

// c[rows, columns] = or += a · panel. A sum that is added to begins with c, as if its terms had been the first ones.
INLINE void multiply_tile(int rows, ptrdiff_t depth, const float *a, ptrdiff_t rs, ptrdiff_t ps, const float *panel,
                          float *c, ptrdiff_t ldc, ptrdiff_t columns, bool accumulate) {
    vf sum[TILE_ROWS][TILE_VECTORS];
    ptrdiff_t inside[TILE_VECTORS];
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
        ptrdiff_t left = columns - v * WIDTH;
        inside[v] = left < 0 ? 0 : left < WIDTH ? left : WIDTH;
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < TILE_VECTORS; v++)
            sum[r][v] = accumulate ? load(c + r * ldc + v * WIDTH, inside[v]) : set1(0);
    add_products(rows, depth, a, rs, ps, panel, sum);
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < TILE_VECTORS; v++) store(c + r * ldc + v * WIDTH, sum[r][v], inside[v]);
}

static void multiply_panel(ptrdiff_t rows, ptrdiff_t depth, const float *a, ptrdiff_t rs, ptrdiff_t ps,
                           const float *panel, float *c, ptrdiff_t ldc, ptrdiff_t columns, bool accumulate) {
#define TILE(n) multiply_tile(n, depth, a + r * rs, rs, ps, panel, c + r * ldc, ldc, columns, accumulate)
    FOR_EACH_TILE(r, rows)
#undef TILE
}

static void multiply(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda, bool transposed,
                     const float *panels, float *c, ptrdiff_t ldc, bool accumulate) {
    const ptrdiff_t rs = transposed ? 1 : lda, ps = transposed ? lda : 1;
    for (ptrdiff_t i = 0; i < m; i += BLOCK_ROWS) {
        const ptrdiff_t rows = m - i < BLOCK_ROWS ? m - i : BLOCK_ROWS;
        for (ptrdiff_t j = 0; j < n; j += PANEL)
            multiply_panel(rows, k, a + i * rs, rs, ps, panels + j * k, c + i * ldc + j, ldc, n - j, accumulate);
    }
}

static void pack(ptrdiff_t k, ptrdiff_t n, const float *b, ptrdiff_t ld, bool transposed, float *panels) {
    for (ptrdiff_t j = 0; j < n; j += PANEL, panels += k * PANEL) {
        const ptrdiff_t columns = n - j < PANEL ? n - j : PANEL;
        if (columns < PANEL) memset(panels, 0, (size_t)(k * PANEL) * sizeof(float));
        for (ptrdiff_t p = 0; p < k; p++)
            if (!transposed) memcpy(panels + p * PANEL, b + p * ld + j, (size_t)columns * sizeof(float));
            else for (ptrdiff_t c = 0; c < columns; c++) panels[p * PANEL + c] = b[(j + c) * ld + p];
    }
}
