// Ranks of targets and the best rows, from a tile of scores that a matrix product computed. One block for each row.

/// Of row n's scores over the whole table, counts those that are at least as high as the target's, with and without `seen`.
KERNEL __launch_bounds__(256) rank_rows(const cu_rank a) {
    int row = a.first_row + blockIdx.x, columns = a.scores.columns, target = a.targets[row];
    float *scores = a.scores.base + blockIdx.x * a.scores.stride;
    add_bias(a.bias, row, scores, 0, columns);
    __syncthreads();
    float wanted = scores[target];
    int above = 0, seen_above = 0;
    bool broken = false;
    for (int c = threadIdx.x; c < columns; c += blockDim.x) {
        broken |= isnan(scores[c]);
        above += c != target && scores[c] >= wanted;
    }
    for (int j = a.seen_starts[row] + threadIdx.x; j < a.seen_starts[row + 1]; j += blockDim.x) {
        int c = a.seen[j];
        seen_above += c != target && scores[c] >= wanted;
    }
    above = block_sum(above);
    seen_above = block_sum(seen_above);
    if (broken) *a.not_a_number = 1;
    if (threadIdx.x > 0) return;
    a.counts[2 * row] = above;
    a.counts[2 * row + 1] = above - seen_above;
}

/// Adds biases and sets the scores of rows that are no candidates to -inf.
KERNEL __launch_bounds__(256) choose_candidates(const cu_candidates a) {
    int row = blockIdx.x, columns = a.scores.columns, only = a.only[row];
    float *scores = a.scores.base + row * a.scores.stride;
    const float nothing = __uint_as_float(0xFF800000u);
    add_bias(a.bias, row, scores, a.first_column, columns);
    __syncthreads();
    for (int j = a.list_starts[row] + threadIdx.x; j < a.list_starts[row + 1]; j += blockDim.x) {
        int c = a.list[j] - a.first_column;
        if (c < 0 || c >= columns) continue;
        if (only) a.saved[j] = scores[c]; else scores[c] = nothing;
    }
    if (!only) return;
    __syncthreads();
    for (int c = threadIdx.x; c < columns; c += blockDim.x) scores[c] = nothing;
    __syncthreads();
    for (int j = a.list_starts[row] + threadIdx.x; j < a.list_starts[row + 1]; j += blockDim.x) {
        int c = a.list[j] - a.first_column;
        if (c >= 0 && c < columns) scores[c] = a.saved[j];
    }
}

#define TOP_CAPACITY 2048
#define TOP_STEP 1024
#define TOP_THREADS 256
#define TOP_PER_THREAD (TOP_STEP / TOP_THREADS)

/// Whether a comes before b: the higher score, then the lower row.
__device__ __forceinline__ bool better(float a, int a_row, float b, int b_row) { return a > b || (a == b && a_row < b_row); }

/// Sorts the first `count` pairs, best first (bitonic; Batcher 1968). All threads take part.
__device__ void sort_best(float *scores, int *rows, int count) {
    int size = 2;
    while (size < count) size *= 2;
    for (int i = count + threadIdx.x; i < size; i += blockDim.x) {
        scores[i] = __uint_as_float(0xFF800000u);
        rows[i] = 0x7FFFFFFF;
    }
    __syncthreads();
    for (int run = 2; run <= size; run *= 2) {
        for (int distance = run / 2; distance > 0; distance /= 2) {
            for (int i = threadIdx.x; i < size; i += blockDim.x) {
                int other = i ^ distance;
                if (other <= i) continue;
                bool ascending = (i & run) == 0;  // best first in these runs
                if (better(scores[other], rows[other], scores[i], rows[i]) == ascending) {
                    float score = scores[i];
                    scores[i] = scores[other];
                    scores[other] = score;
                    int row = rows[i];
                    rows[i] = rows[other];
                    rows[other] = row;
                }
            }
            __syncthreads();
        }
    }
}

/// The scores of a thread from column `first` on; -inf past the end.
__device__ __forceinline__ void read_scores(const float *tile, int first, int columns, float own[TOP_PER_THREAD]) {
#pragma unroll
    for (int k = 0; k < TOP_PER_THREAD; k++) {
        int c = first + k * TOP_THREADS + threadIdx.x;
        own[k] = c < columns ? tile[c] : __uint_as_float(0xFF800000u);
    }
}

/// Scores above the k-th best so far are appended to a list in shared memory; before the list could overflow it is sorted and cut
/// to k. After the first thousands of scores few are appended.
KERNEL __launch_bounds__(TOP_THREADS) take_best(const cu_top_k a) {
    __shared__ float scores[TOP_CAPACITY];
    __shared__ int rows[TOP_CAPACITY];
    __shared__ int count;
    int row = blockIdx.x, columns = a.scores.columns;
    const float *tile = a.scores.base + row * a.scores.stride;
    int known = a.found[row];
    for (int i = threadIdx.x; i < known; i += blockDim.x) {
        scores[i] = a.best[(long long)row * a.k + i];
        rows[i] = a.best_rows[(long long)row * a.k + i];
    }
    if (threadIdx.x == 0) count = known;
    __syncthreads();
    float bound = known == a.k ? scores[a.k - 1] : __uint_as_float(0xFF800000u);
    float next[TOP_PER_THREAD];
    read_scores(tile, 0, columns, next);
    for (int first = 0; first < columns; first += TOP_STEP) {
        float own[TOP_PER_THREAD];
#pragma unroll
        for (int k = 0; k < TOP_PER_THREAD; k++) own[k] = next[k];
        read_scores(tile, first + TOP_STEP, columns, next);  // read ahead, while the previous ones are compared
        int entries = count;
        __syncthreads();  // all threads have read `count` before any adds to it
        if (entries + TOP_STEP > TOP_CAPACITY) {
            sort_best(scores, rows, entries);
            if (threadIdx.x == 0) count = min(entries, a.k);
            if (entries >= a.k) bound = scores[a.k - 1];
            __syncthreads();
        }
#pragma unroll
        for (int k = 0; k < TOP_PER_THREAD; k++) {
            if (!(own[k] > bound)) continue;
            int place = atomicAdd(&count, 1);
            scores[place] = own[k];
            rows[place] = a.first_column + first + k * TOP_THREADS + threadIdx.x;
        }
        __syncthreads();
    }
    int entries = count;
    if (entries > known || known == 0) sort_best(scores, rows, entries);
    int found = min(entries, a.k);
    for (int i = threadIdx.x; i < found; i += blockDim.x) {
        a.best[(long long)row * a.k + i] = scores[i];
        a.best_rows[(long long)row * a.k + i] = rows[i];
    }
    if (threadIdx.x == 0) a.found[row] = found;
}
