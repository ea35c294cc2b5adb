// Inner loops that need an instruction set chosen at run time. Each operation is written once, in operations/*.h, over
// vectors of `WIDTH` floats; each isa_*.c compiles them all for one instruction set into one table of functions.
//
// Nothing here allocates, locks or exits. Matrices are row-major; `ld…` is the distance between row starts in floats.
// Any width and length is allowed. The Swift protocol `Backend` says what each operation computes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Which elements are dropped: see `Dropout` in Swift. threshold 0 drops nothing, and keep_scale is then 1.
typedef struct {
    uint32_t threshold;
    float keep_scale;
    uint32_t seed_low, seed_high;
    uint32_t place, step;
    const int32_t *row_numbers;  // of each row; not read where nothing is dropped
} ck_dropout;

// Dropout + residual + LayerNorm over [rows, columns], all matrices contiguous.
typedef struct {
    ptrdiff_t rows, columns;
    const float *scale, *shift;
    float epsilon;
    ck_dropout dropout;
} ck_norm;

// Causal depthwise convolution: `taps` ≤ CK_MAX_TAPS.
#define CK_MAX_TAPS 16
typedef struct {
    ptrdiff_t sequences, channels, taps;
    const int32_t *starts;               // [sequences + 1]
    const float *input; ptrdiff_t ld_input;
    const float *weight, *bias;          // [taps, channels], [channels]
    const float *window;                 // [sequences, (taps − 1) · channels] or NULL
} ck_convolution;

// Gated scan.
typedef struct {
    ptrdiff_t channels;
    const float *gates;                  // [rows, 2 · channels]
    const float *gate_bias;              // [2 · channels]
    const float *input;                  // [rows, channels]
    const float *output_gate; ptrdiff_t ld_output_gate;  // or NULL
    const float *rate;                   // [channels]: softplus(Λ)
    const float *gaps;                   // [rows]: time since the event before, or NULL; then the others are not used
    const float *read_gaps;              // [rows]: time until the output is read, or NULL
    const float *gap_rate, *fade;        // [channels]: reciprocal timescales, ω
} ck_scan;

// What a gated scan's backward pass writes; parameter gradients are added to.
typedef struct {
    float *gates;                        // [rows, 2 · channels], may be the inputs' gates
    float *gate_bias;                    // [2 · channels]
    float *input;                        // [rows, channels]
    float *output_gate; ptrdiff_t ld_output_gate;        // or NULL
    float *rate;                         // [channels]: gradient of softplus(Λ)
    float *fade;                         // [channels], where there are gaps
} ck_scan_gradients;

typedef struct {
    float learning_rate, beta1, beta2, epsilon, correction1, correction2, gradient_scale;
    float decay_factor;  // 1 − learning rate · weight decay: multiplies a weight before the step
} ck_adam;

// A table row and its score.
typedef struct {
    int32_t row;
    float score;
} ck_scored_row;

// The search for the best rows of a table for one vector (best_rows.c).
typedef struct {
    const uint64_t *candidates;          // which rows may be returned: bit r % 64 of word r / 64, r from the first row searched
    ck_scored_row *heap;                 // [capacity]: the best so far
    ptrdiff_t capacity, count;
    float bound;                         // a row that scores less cannot enter
    float cut;                           // nor one whose upper bound is less (rounded_ranking.h)
} ck_query;

// Starts a search for the `capacity` best rows.
void ck_start(ck_query *, ck_scored_row *heap, ptrdiff_t capacity, const uint64_t *candidates);
// Keeps a row if it is among the best so far: those with higher scores, of equal ones those with lower numbers. −∞ and NaN never are.
void ck_offer(ck_query *, int32_t row, float score);
// Puts the rows that were found in order, best first. Nothing can be offered after that.
void ck_sort(ck_query *);

typedef struct {
    const char *name;
    int width;  // floats in a vector

    // mask[r, c] = 0 where dropped, else keep_scale.
    void (*dropout_mask)(const ck_dropout *, ptrdiff_t rows, ptrdiff_t columns, float *mask);

    void (*norm)(const ck_norm *, float *input, const float *bias, const float *residual, float *rstd,
                 float *output);
    void (*norm_backward)(const ck_norm *, const float *output_gradient, const float *normalized,
                          const float *rstd, float *input_gradient, float *residual_gradient,
                          float *bias_gradient, float *scale_gradient, float *shift_gradient);

    void (*activate)(ptrdiff_t rows, ptrdiff_t columns, const float *input, ptrdiff_t ld_input, const float *bias,
                     const ck_dropout *, float *output, ptrdiff_t ld_output);
    void (*activate_backward)(ptrdiff_t rows, ptrdiff_t columns, const float *output_gradient, ptrdiff_t ld_gradient,
                              const float *input, ptrdiff_t ld_input, const float *bias, const ck_dropout *,
                              float *input_gradient, ptrdiff_t ld_input_gradient, float *bias_gradient);

    void (*convolve)(const ck_convolution *, float *output);
    void (*convolve_backward)(const ck_convolution *, const float *output_gradient, float *input_gradient,
                              ptrdiff_t ld_input_gradient, float *weight_gradient, float *bias_gradient);
    // The gradients through the window, which `convolve_backward` leaves out.
    void (*convolve_backward_window)(const ck_convolution *, const float *output_gradient, float *weight_gradient,
                                     float *window_gradient);

    // Rows begin ..< end of one sequence. `initial` NULL is zero. Writes states and, with an output gate, output.
    void (*scan)(const ck_scan *, ptrdiff_t begin, ptrdiff_t end, const float *initial, float *states, float *output);
    // The affine map of rows begin ..< end, state ↦ product ⊙ state + sum, without writing any row.
    void (*scan_summary)(const ck_scan *, ptrdiff_t begin, ptrdiff_t end, float *product, float *sum);
    // `carry` [channels] enters as the gradient of the last state and leaves as that of the state before `begin`.
    void (*scan_backward)(const ck_scan *, const ck_scan_gradients *, ptrdiff_t begin, ptrdiff_t end,
                          const float *output_gradient, const float *initial, const float *states, float *carry);
    // The affine map of the carry over rows begin ..< end, without writing any row.
    void (*scan_backward_summary)(const ck_scan *, ptrdiff_t begin, ptrdiff_t end, const float *output_gradient,
                                  float *product, float *sum);

    // Row by row: max, x ← exp(x − max), sum of the new x.
    void (*softmax_rows)(ptrdiff_t rows, ptrdiff_t columns, float *x, ptrdiff_t ld, float *max, float *sum);
    // Row by row: x ← exp(x − max).
    void (*exp_rows)(ptrdiff_t rows, ptrdiff_t columns, float *x, ptrdiff_t ld, const float *max);

    // A row of scores: x ← exp(y − max) with y = scale · x + bias; the max of y and the sum of the new x.
    void (*attend_row)(ptrdiff_t columns, float scale, const float *bias, float *x, float *max, float *sum);
    // p ← factor · p; with g its gradient, s = p · (g − Σ p · g) is added to the bias's gradient, and g ← scale · s.
    // Returns Σ p · g.
    float (*attend_row_backward)(ptrdiff_t columns, float scale, float factor, float *p, float *g,
                                 float *bias_gradient);

    void (*adam)(ptrdiff_t count, const ck_adam *, float *weights, const float *gradient, float *first,
                 float *second);
    double (*squared_norm)(ptrdiff_t count, const float *x);
    // target += source.
    void (*add)(ptrdiff_t count, const float *source, float *target);
    // target += factor · source.
    void (*add_scaled)(ptrdiff_t count, float factor, const float *source, float *target);
    // Σ x · y.
    float (*dot)(ptrdiff_t count, const float *x, const float *y);
    // How many x are ≥ bound; sets *nan if any x is NaN.
    ptrdiff_t (*count_at_least)(ptrdiff_t count, const float *x, float bound, bool *nan);

    // Products whose sums have one order whatever the shapes (product.h). The right operand op(b) [k, n], where b is [k, n], or
    // [n, k] where transposed, is packed into ⌈n / panel⌉ panels of k · panel floats.
    ptrdiff_t panel;
    void (*pack)(ptrdiff_t k, ptrdiff_t n, const float *b, ptrdiff_t ld, bool transposed, float *panels);
    // c [m, n] = or += op(a) · panels: a is [m, k], or [k, m] where transposed.
    void (*multiply)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda, bool transposed,
                     const float *panels, float *c, ptrdiff_t ldc, bool accumulate);

    // Finds the best rows of a table [rows, depth], packed as a transposed right operand, for `count` vectors in rows `ld` apart.
    // Candidates beyond the last row must not be set, as far as their panel or word goes.
    void (*rank_rows)(const float *panels, ptrdiff_t rows, ptrdiff_t depth, const float *vectors, ptrdiff_t ld,
                      ck_query *, ptrdiff_t count);
    // Offers n rows of the table itself to one query, whether candidates or not, with something added to each score.
    void (*rank_listed)(ptrdiff_t depth, const float *vector, const float *table, ptrdiff_t ld, const int32_t *rows,
                        const float *additions, ptrdiff_t n, ck_query *);
} ck_kernels;

// The table for an instruction set, or NULL where this processor or build does not have it.
typedef enum { CK_BASELINE, CK_AVX2, CK_AVX512 } ck_isa;
const ck_kernels *ck_kernels_for(ck_isa isa);

// A table [rows, depth], and the same rounded.
typedef struct {
    const float *rows; ptrdiff_t ld, depth;
    const uint32_t *panels;
} ck_rounded_table;

// Products of operands rounded to bfloat16, summed in float32 (bfloat16.c). `panels` holds a packed right operand:
// ⌈n / panel⌉ · panel · ⌈k / 2⌉ pairs; `block` is `block_size` pairs of scratch memory.
typedef struct {
    ptrdiff_t panel, block_size;
    // The right operand op(b) [k, n]: b is [k, n], or [n, k] where transposed.
    void (*pack)(ptrdiff_t k, ptrdiff_t n, const float *b, ptrdiff_t ld, bool transposed, uint32_t *panels);
    // c [m, n] = or += op(a) · panels: a is [m, k], or [k, m] where transposed.
    void (*multiply)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda, bool transposed,
                     const uint32_t *panels, float *c, ptrdiff_t ldc, bool accumulate, uint32_t *block);

    // Ranking by upper bounds of scores (operations/rounded_ranking.h). Each row of `pairs` below has ⌈depth / 2⌉ + 1 of them.
    // A table as ⌈rows / 64⌉ panels of 64 · `pairs`. Returns the largest norm of a row.
    double (*pack_table)(ptrdiff_t rows, ptrdiff_t depth, const float *table, ptrdiff_t ld, uint32_t *panels);
    // Vectors as rows of `pairs`, for a table with this largest norm.
    void (*pack_vectors)(ptrdiff_t count, ptrdiff_t depth, const float *vectors, ptrdiff_t ld, double largest_norm,
                         uint32_t *pairs);
    // As `rank_rows` of ck_kernels, and with the same result: the same bits as those of the avx512 and avx2 tables.
    void (*rank_rows)(const ck_rounded_table *, ptrdiff_t rows, const float *vectors, ptrdiff_t ld,
                      const uint32_t *vector_pairs, ck_query *, ptrdiff_t count);
} ck_bfloat16;

// NULL where this processor or this build cannot.
const ck_bfloat16 *ck_bfloat16_kernels(void);
