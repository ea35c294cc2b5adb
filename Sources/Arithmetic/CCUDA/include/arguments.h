// The arguments of the kernels: one struct for each, written by Swift and read on the device. Only types that have the same size
// on both sides, and no padding, which would stay unwritten.
#ifndef CCUDA_ARGUMENTS_H
#define CCUDA_ARGUMENTS_H

/// A row-major matrix: element (r, c) is base[r * stride + c]. `base` is null where there is none.
typedef struct {
    float *base;
    int rows, columns;
    long long stride;
} cu_matrix;

/// Which elements are dropped (Tensors' `Dropout`); without `row_numbers` nothing is dropped. The step is in memory because
/// it changes while a recorded graph stays the same.
typedef struct {
    const int *row_numbers;
    const unsigned *step;
    unsigned threshold;
    float keep_scale;
    unsigned seed_low, seed_high;
    unsigned place, unused;
} cu_dropout;

/// Additions to some scores of each row (Tensors' `SparseBias`); none without `starts`.
typedef struct {
    const int *starts, *columns, *kinds;
    const float *values;
    float scale;
    int kind_count;
} cu_sparse_bias;

/// target[r, c] = value, or source's element, or the sum of both.
typedef struct {
    cu_matrix source, target;
    float value;
    int unused;
} cu_elements;

/// Sums of squares: one element of `parts` for each block.
typedef struct {
    cu_matrix source;
    double *parts;
} cu_squares;

/// *sum (+)= Σ values[i], where either `floats` or `doubles` holds them.
typedef struct {
    const float *floats;
    const double *doubles;
    double *sum;
    int count, accumulate;
} cu_sum;

/// Events of a packed batch and their histories, of which there are at most `places` events. For each of these, `earlier`
/// [places, 3] has the last three of the same item within the window, nearest first, -1 where there is none, and `next`
/// [places] the next one's place, or more than `places`. `bias_starts`, `columns` and `kinds` are Tensors' `SparseBias`.
typedef struct {
    const int *histories, *history_starts, *starts, *bias_starts;
    int *earlier, *next, *columns, *kinds;
    int places, sequences, window, recencies, counts, unused;
} cu_occurrences;

/// output[n] = table[rows[n]].
typedef struct {
    const int *rows;
    cu_matrix table, output;
} cu_gather;

/// table[rows[n]] += gradient[n] for first <= n < first + count, in order of n.
typedef struct {
    const int *rows;
    cu_matrix gradient, table;
    int first, count;
} cu_scatter;

/// Vectors to which sums over the parts of an operation are added: columns first ..< first + count of each part.
typedef struct {
    float *base;
    int first, count;
} cu_sum_target;

/// Where `sums` [groups, columns] is given, it gets a row of sums for each group of parts instead. Of the launch's blocks those from
/// `first_block` on are for it.
typedef struct {
    const float *parts;
    float *sums;
    int part_count, columns, parts_per_group, first_block;
    cu_sum_target targets[3];
} cu_column_sums;

/// Sums that one launch adds: a step's of a model of two layers, and some more.
enum { SUMS_AT_ONCE = 24 };

/// In order of their blocks; no two have a target in common.
typedef struct {
    cu_column_sums all[SUMS_AT_ONCE];
    int count, unused;
} cu_sum_list;

typedef struct {
    cu_matrix input, residual, output;
    const float *bias, *scale, *shift;
    float *rstd;
    cu_dropout dropout;
    float epsilon;
    int unused;
} cu_norm;

/// `parts` [blocks, 3 D]: gradients of scale, shift and bias.
typedef struct {
    cu_matrix output_gradient, normalized, input_gradient, residual_gradient;
    const float *scale, *rstd;
    float *parts;
    cu_dropout dropout;
} cu_norm_backward;

/// Backward where `output_gradient` has a base: `output` is the input's gradient then, `parts` [blocks y, M] the bias's.
typedef struct {
    cu_matrix input, output, output_gradient;
    const float *bias;
    float *parts;
    cu_dropout dropout;
    int rows_per_block, unused;
} cu_activation;

/// `window` and its like [S, (K - 1) H]; `weight` [K, H]; `parts` [tiles, (K + 1) H].
typedef struct {
    cu_matrix input, output, output_gradient, input_gradient;
    const float *weight, *bias;
    const int *starts;
    const float *window, *final_window_gradient;
    float *final_window, *window_gradient, *parts;
    long long window_stride, final_stride, final_gradient_stride, window_gradient_stride;
    int taps, sequences;
} cu_convolution;

/// How scans are cut, on which kernels and host must agree: warps of a chunk, rows of a thread, and chunks that are a group.
/// Measured on an H100 (docs/gpu.md).
#define SCAN_WARPS 8
#define SCAN_LONG_ROWS 16
#define SCAN_LONG_GROUP 32
#define SCAN_LONG_BACKWARD_ROWS 10
#define SCAN_LONG_BACKWARD_GROUP 32
#define SCAN_SHORT_ROWS 4
#define SCAN_SHORT_GROUP 64

/// Words before the published ones of `links`: the number of launches so far, above the ticket; how many blocks of the last
/// launch have ended.
#define LINK_HEADER 32
#define LAST_LAUNCH 0xFFFFFFFFu

/// `gaps` and `read_gaps` [rows], `gap_rates` and `fade` [channels] are there in the kernels with times alone; `read_gaps` may be null.
/// `links` [link_words], zeroed once and used by scans alone: a header, the maps of chunks [chunks, channels, 2], the states before groups of
/// chunks [groups, channels].
typedef struct {
    const float *gates, *gate_bias, *input, *output_gate, *decay, *initial;
    const float *gaps, *read_gaps, *gap_rates, *fade;
    const int *starts;
    float *states, *output;
    unsigned long long *links;
    long long link_words, output_gate_stride, initial_stride;
    int rows, channels, sequences, chunks;
} cu_scan;

/// `gate_gradients` may be `forward.gates`. `parts` [chunks, 3 H]: gradients of both biases and of the decay; with times
/// [chunks, 4 H]: of omega, too.
typedef struct {
    cu_scan forward;
    const float *output_gradient, *final_gradient;
    float *gate_gradients, *input_gradient, *output_gate_gradient, *initial_gradient, *parts;
    long long output_gate_gradient_stride, final_gradient_stride, initial_gradient_stride;
} cu_scan_backward;

/// final[s] = the last of the states of sequence s, or initial[s] (zero without) where it has no rows.
typedef struct {
    const float *states, *initial;
    float *final;
    const int *starts;
    long long initial_stride, final_stride;
    int channels, sequences;
} cu_scan_ends;

/// Logits of some rows over the whole table, which become their gradients. A negative target has neither loss nor gradient. Rows are a
/// multiple of 4 numbers apart.
/// `bias_parts` [N, kinds].
typedef struct {
    cu_matrix logits;
    const int *targets;
    const float *scale;
    float *losses, *bias_parts;
    cu_sparse_bias bias;
    int first_row, with_gradients;
} cu_softmax;

/// Samples of table rows, `size` each, one for each `rows_per_sample` rows of a batch; for each sample 2^(32 - `shift`) places of
/// a hash table: a row and its position in the sample.
typedef struct {
    const int *rows;
    unsigned long long *places;
    int samples, size, rows_per_sample, shift;
} cu_samples;

/// The same over each row's target and the negatives of its sample. `target_slopes` [N] gets the gradient of the target's logit.
typedef struct {
    cu_matrix logits, hidden, table;
    cu_samples samples;
    const int *targets;
    const float *log_q, *target_log_q, *scale;
    float *losses, *bias_parts, *target_slopes;
    cu_sparse_bias bias;
    int first_row, with_gradients;
} cu_sampled_softmax;

/// hidden_gradient[n] += slopes[n] table[rows[n]]; row_gradients[n] = slopes[n] hidden[n].
typedef struct {
    cu_matrix hidden, table, hidden_gradient, row_gradients;
    const int *rows;
    const float *slopes;
} cu_target_gradients;

/// Row 2 n of `row_gradients` belongs to table row `rows[2 n]`, the target, row 2 n + 1 to the negative.
typedef struct {
    cu_matrix hidden, table, hidden_gradient, row_gradients;
    const int *targets, *negatives;
    const float *scale;
    float *losses;
    int *rows;
} cu_pairwise;

/// `samples` of `size` of the `table_rows` rows: those in whose intervals of `cumulative` the points firsts[s] + k are, with their `log_q`;
/// `target_log_q` gets that of each target. marks[row] = 1 for each row, target and item that is not negative.
typedef struct {
    const double *cumulative, *firsts;
    const float *log_q;
    const int *targets, *items;
    int *rows, *marks;
    float *sample_log_q, *target_log_q;
    int table_rows, samples, size, target_count, item_count, unused;
} cu_drawing;

/// table[row] += gradient of every sample's row, in the order of the samples; `gradient` [samples * size, D].
typedef struct {
    cu_samples samples;
    cu_matrix gradient, table;
} cu_sampled_gradients;

/// The numbers of one Adam step (Tensors' `AdamStep`), in memory because they change from step to step.
typedef struct {
    float learning_rate, beta1, beta2, epsilon, correction1, correction2, gradient_scale, decay_factor;
} cu_adam_step;

/// A gradient whose `squares` are more than those of `largest_norm` is scaled down to that; without `squares` there is no limit.
/// Elements first[r] ..< first[r] + (positions[r + 1] - positions[r]) of four vectors, for each range r; clears the
/// gradient after use where `clears` is set. Elements below `decayed` are multiplied by `decay_factor` first.
typedef struct {
    float *weights, *gradient, *first_moment, *second_moment;
    const cu_adam_step *step;
    const double *squares;
    const int *first, *positions;
    int ranges, clears;
    float largest_norm;
    int decayed;
} cu_adam;

/// The same over the marked ones of `rows` rows of `width` weights, the first at `first`; clears the marks.
typedef struct {
    cu_adam adam;
    int *marks;
    int first, width, rows, unused;
} cu_adam_rows;

/// Scores of some rows over the whole table. `counts` [N, 2]: at least as high as the target's among all, and without
/// those of `seen`. *not_a_number becomes 1 where a score is NaN.
typedef struct {
    cu_matrix scores;
    const int *targets, *seen_starts, *seen;
    int *counts, *not_a_number;
    cu_sparse_bias bias;
    int first_row, unused;
} cu_rank;

/// Scores of all rows over table rows first_column ..< first_column + columns: biases, and -inf for rows that are no candidates.
/// `only` [N]: whether a row's list has the candidates (or else the rows that are none); `saved` has the length of all lists.
typedef struct {
    cu_matrix scores;
    const int *list_starts, *list, *only;
    float *saved;
    cu_sparse_bias bias;
    int first_column, unused;
} cu_candidates;

/// Lists of best rows that are kept for a row of scores, each from a share of the columns of every tile.
enum { TOP_SHARES = 4 };

/// Merges the scores of such a tile into each list's k best so far: `best` [N, TOP_SHARES, k] and `best_rows`, best first, `found`
/// [N, TOP_SHARES]. Rows of scores are a multiple of 4 numbers apart.
typedef struct {
    cu_matrix scores;
    float *best;
    int *best_rows, *found;
    int first_column, k;
} cu_top_k;

/// Merges each row's lists into `best` [N, k] and `best_rows`, `found` [N].
typedef struct {
    const float *list_scores;
    const int *list_rows, *list_found;
    float *best;
    int *best_rows, *found;
    int k, unused;
} cu_merge;

// Both compilers must lay the structs out alike: without padding, equal sizes prove it.
#ifdef __cplusplus
#define CU_SIZE(type, bytes) static_assert(sizeof(type) == bytes, #type)
#else
#define CU_SIZE(type, bytes) _Static_assert(sizeof(type) == bytes, #type)
#endif
CU_SIZE(cu_matrix, 24);
CU_SIZE(cu_dropout, 40);
CU_SIZE(cu_sparse_bias, 40);
CU_SIZE(cu_elements, 56);
CU_SIZE(cu_squares, 32);
CU_SIZE(cu_sum, 32);
CU_SIZE(cu_occurrences, 88);
CU_SIZE(cu_gather, 56);
CU_SIZE(cu_scatter, 64);
CU_SIZE(cu_sum_target, 16);
CU_SIZE(cu_column_sums, 80);
CU_SIZE(cu_sum_list, 80 * SUMS_AT_ONCE + 8);
CU_SIZE(cu_norm, 152);
CU_SIZE(cu_norm_backward, 160);
CU_SIZE(cu_activation, 136);
CU_SIZE(cu_convolution, 200);
CU_SIZE(cu_scan, 152);
CU_SIZE(cu_scan_backward, 232);
CU_SIZE(cu_scan_ends, 56);
CU_SIZE(cu_softmax, 104);
CU_SIZE(cu_samples, 32);
CU_SIZE(cu_sampled_softmax, 208);
CU_SIZE(cu_target_gradients, 112);
CU_SIZE(cu_pairwise, 136);
CU_SIZE(cu_sampled_gradients, 80);
CU_SIZE(cu_drawing, 96);
CU_SIZE(cu_adam_step, 32);
CU_SIZE(cu_adam, 80);
CU_SIZE(cu_adam_rows, 104);
CU_SIZE(cu_rank, 112);
CU_SIZE(cu_candidates, 104);
CU_SIZE(cu_top_k, 56);
CU_SIZE(cu_merge, 56);
#undef CU_SIZE

#endif
