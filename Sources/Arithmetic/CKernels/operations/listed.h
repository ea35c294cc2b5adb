// Scores of single rows, in the order of summation of `rank_rows`: the same bits.

// scores[i] = vector · table[rows[i]] for n ≤ 8 rows; eight independent sums hide the latency of one.
static void score_rows(ptrdiff_t depth, const float *vector, const float *table, ptrdiff_t ld, const int32_t *rows,
                       ptrdiff_t n, float *scores) {
    const float *x[8];
    float sum[8] = {0};
    for (ptrdiff_t i = 0; i < 8; i++) x[i] = table + rows[i < n ? i : 0] * ld;
    for (ptrdiff_t p = 0; p < depth; p++)
#if FUSED
        UNROLL for (int i = 0; i < 8; i++) sum[i] = __builtin_fmaf(vector[p], x[i][p], sum[i]);
#else
        UNROLL for (int i = 0; i < 8; i++) sum[i] = vector[p] * x[i][p] + sum[i];
#endif
    memcpy(scores, sum, (size_t)n * sizeof(float));
}

// Offers table[rows[i]] with additions[i] on top of its score.
static void rank_listed(ptrdiff_t depth, const float *vector, const float *table, ptrdiff_t ld, const int32_t *rows,
                        const float *additions, ptrdiff_t n, ck_query *query) {
    for (ptrdiff_t i = 0; i < n; i += 8) {
        float scores[8];
        ptrdiff_t m = n - i < 8 ? n - i : 8;
        score_rows(depth, vector, table, ld, rows + i, m, scores);
        for (ptrdiff_t j = 0; j < m; j++) ck_offer(query, rows[i + j], scores[j] + additions[i + j]);
    }
}
