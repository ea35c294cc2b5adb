// Every kernel of every instruction set over awkward sizes, each block exactly as large as it must be, so that the
// address sanitizer sees one element too many. Values are checked elsewhere; here only that nothing strange is done.
#include "CKernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t seed = 1;
static float noise(void) {
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) / (float)(1 << 23) - 1.0f;
}

// Blocks of one round, freed together.
static void *blocks[128];
static int block_count = 0;
static float *block(ptrdiff_t count) {
    float *p = malloc((size_t)count * sizeof(float));
    for (ptrdiff_t i = 0; i < count; i++) p[i] = 3.0f * noise();
    return blocks[block_count++] = p;
}
static void free_blocks(void) {
    while (block_count > 0) free(blocks[--block_count]);
}

static int32_t *row_numbers(ptrdiff_t rows) {
    int32_t *p = malloc((size_t)rows * sizeof(int32_t));
    for (ptrdiff_t r = 0; r < rows; r++) p[r] = (int32_t)(7 * r);
    return blocks[block_count++] = p;
}

static ck_dropout dropout(int on, ptrdiff_t rows) {
    ck_dropout d = {.threshold = on ? 1u << 30 : 0, .keep_scale = on ? 4.0f / 3.0f : 1.0f, .seed_low = 1};
    d.row_numbers = on ? row_numbers(rows) : NULL;
    return d;
}

static void elementwise(const ck_kernels *k, ptrdiff_t n, ptrdiff_t d, int options) {
    ck_dropout drop = dropout(options & 1, n);
    float *bias = options & 2 ? block(d) : NULL, *residual = options & 4 ? block(n * d) : NULL;
    k->dropout_mask(&drop, n, d, block(n * d));
    ck_norm norm = {.rows = n, .columns = d, .scale = block(d), .shift = block(d), .epsilon = 1e-12f, .dropout = drop};
    float *x = block(n * d), *inverse = block(n);
    k->norm(&norm, x, bias, residual, inverse, block(n * d));
    k->norm_backward(&norm, block(n * d), x, inverse, block(n * d), residual, bias, block(d), block(d));
    free_blocks();
    drop = dropout(options & 1, n);
    bias = options & 2 ? block(d) : NULL;
    ptrdiff_t ld = d + 3;  // rows with gaps: the last one has none behind it
    k->activate(n, d, block((n - 1) * ld + d), ld, bias, &drop, block(n * d), d);
    k->activate_backward(n, d, block(n * d), d, block((n - 1) * ld + d), ld, bias, &drop, block((n - 1) * ld + d), ld,
                         bias);
    free_blocks();
}

static void sequences(const ck_kernels *k, ptrdiff_t n, ptrdiff_t h, int options) {
    int32_t starts[4] = {0, (int32_t)(n / 3), (int32_t)(n / 3), (int32_t)n};  // the second one is empty
    ptrdiff_t ld = 2 * h;
    float *wide = block(n * ld), *wide_gradient = block(n * ld);
    for (ptrdiff_t taps = 1; taps <= 5; taps++) {
        ck_convolution c = {.sequences = 3, .channels = h, .taps = taps, .starts = starts, .input = wide, .ld_input = ld,
                            .weight = block(taps * h), .bias = block(h),
                            .window = options & 1 ? block(3 * (taps - 1) * h) : NULL};
        k->convolve(&c, block(n * h));
        float *gradient = block(n * h), *weight_gradient = block(taps * h);
        k->convolve_backward(&c, gradient, wide_gradient, ld, weight_gradient, block(h));
        if (c.window) k->convolve_backward_window(&c, gradient, weight_gradient, block(3 * (taps - 1) * h));
    }
    ck_scan s = {.channels = h, .gates = block(n * 2 * h), .gate_bias = block(2 * h), .input = block(n * h),
                 .output_gate = options & 2 ? wide + h : NULL, .ld_output_gate = ld, .rate = block(h),
                 .gaps = options & 1 ? block(n) : NULL, .read_gaps = options & 1 ? block(n) : NULL, .gap_rate = block(h),
                 .fade = block(h)};
    ck_scan_gradients g = {.gates = block(n * 2 * h), .gate_bias = block(2 * h), .input = block(n * h),
                           .output_gate = options & 2 ? wide_gradient + h : NULL, .ld_output_gate = ld, .rate = block(h),
                           .fade = block(h)};
    float *states = block(n * h), *gradient = block(n * h), *initial = options & 1 ? block(h) : NULL;
    for (int i = 0; i < 3; i++) {
        k->scan(&s, starts[i], starts[i + 1], initial, states, options & 2 ? block(n * h) : NULL);
        k->scan_summary(&s, starts[i], starts[i + 1], block(h), block(h));
        k->scan_backward(&s, &g, starts[i], starts[i + 1], gradient, initial, states, block(h));
        k->scan_backward_summary(&s, starts[i], starts[i + 1], gradient, block(h), block(h));
    }
    free_blocks();
}

static double reductions(const ck_kernels *k, ptrdiff_t n, ptrdiff_t d) {
    float *x = block((n - 1) * (d + 1) + d), *max = block(n), *sum = block(n);
    k->softmax_rows(n, d, x, d + 1, max, sum);
    k->exp_rows(n, d, x, d + 1, max);
    k->attend_row(d, 0.5f, block(d), block(d), max, sum);
    k->attend_row_backward(d, 0.5f, 1, block(d), block(d), block(d));
    ck_adam a = {.learning_rate = 1e-3f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f, .correction1 = 0.1f,
                 .correction2 = 0.001f, .gradient_scale = 1, .decay_factor = 1};
    float *second = block(d);
    for (ptrdiff_t i = 0; i < d; i++) second[i] = fabsf(second[i]);
    k->adam(d, &a, block(d), block(d), block(d), second);
    k->add(d, block(d), block(d));
    bool nan = false;
    double total = k->squared_norm(d, x) + (double)k->count_at_least(d, x, 0.5f, &nan);
    free_blocks();
    return total;
}

static void bfloat16(const ck_bfloat16 *kernels, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, int options) {
    bool a_transposed = options & 1, b_transposed = options & 2;
    ptrdiff_t lda = (a_transposed ? m : k) + 1, ldb = (b_transposed ? k : n) + 1;
    ptrdiff_t a_rows = a_transposed ? k : m, b_rows = b_transposed ? n : k;
    uint32_t *panels = (uint32_t *)block((n + kernels->panel - 1) / kernels->panel * kernels->panel * ((k + 1) / 2));
    kernels->pack(k, n, block((b_rows - 1) * ldb + ldb - 1), ldb, b_transposed, panels);
    kernels->multiply(m, n, k, block((a_rows - 1) * lda + lda - 1), lda, a_transposed, panels,
                      block((m - 1) * (n + 2) + n), n + 2, options & 4, (uint32_t *)block(kernels->block_size));
    free_blocks();
}

int main(void) {
    const ptrdiff_t sizes[] = {1, 2, 3, 5, 7, 15, 16, 17, 31, 63, 64, 65, 100, 130};
    const int count = sizeof sizes / sizeof *sizes;
    int runs = 0, sets = 0;
    double total = 0;
    for (ck_isa isa = CK_BASELINE; isa <= CK_AVX512; isa++) {
        const ck_kernels *k = ck_kernels_for(isa);
        if (!k) continue;
        sets++;
        for (int i = 0; i < count; i++)
            for (int j = 0; j < count; j++)
                for (int options = 0; options < 8; options++, runs++) {
                    elementwise(k, sizes[i], sizes[j], options);
                    sequences(k, sizes[i], sizes[j], options);
                    total += reductions(k, sizes[i], sizes[j]);
                }
    }
    const ck_bfloat16 *products = ck_bfloat16_kernels();
    for (int i = 0; products && i < count; i++)
        for (int j = 0; j < count; j++)
            for (int options = 0; options < 8; options++)
                bfloat16(products, sizes[i], sizes[j], i + j == 20 ? 1027 : sizes[(i + 2 * j) % count], options);
    printf("sanitize: %d instruction sets, %d rounds of every kernel, nothing found (sum %.3g)\n", sets, runs, total);
    return 0;
}
