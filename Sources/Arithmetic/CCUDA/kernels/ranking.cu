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

/// Each of TOP_SHARES blocks of a row has a share of the tile's columns and a list of its own. Scores above the k-th best so far are
/// appended in shared memory; before the list could overflow it is sorted and cut to k. After the first thousands of scores few are
/// appended, and a step has one barrier.
KERNEL __launch_bounds__(TOP_THREADS) take_best(const cu_top_k a) {
    __shared__ float scores[TOP_CAPACITY];
    __shared__ int rows[TOP_CAPACITY];
    __shared__ int count;
    int list = blockIdx.x * TOP_SHARES + blockIdx.y, known = a.found[list];
    int steps = (a.scores.columns + TOP_SHARES * TOP_STEP - 1) / (TOP_SHARES * TOP_STEP);
    int begin = blockIdx.y * steps * TOP_STEP, columns = min(a.scores.columns, begin + steps * TOP_STEP);
    const float *tile = a.scores.base + blockIdx.x * a.scores.stride;
    float *best = a.best + (long long)list * a.k;
    int *best_rows = a.best_rows + (long long)list * a.k;
    for (int i = threadIdx.x; i < known; i += blockDim.x) {
        scores[i] = best[i];
        rows[i] = best_rows[i];
    }
    if (threadIdx.x == 0) count = known;
    __syncthreads();
    float bound = known == a.k ? scores[a.k - 1] : __uint_as_float(0xFF800000u);
    float4 next = read_scores(tile, begin + 4 * threadIdx.x, columns);
    for (int first = begin; first < columns; first += TOP_STEP) {
        int column = first + 4 * threadIdx.x;
        float4 four = next;
        next = read_scores(tile, column + TOP_STEP, columns);  // read ahead, while the previous ones are compared
        bool counts = four.x > bound || four.y > bound || four.z > bound || four.w > bound;
        if (!__syncthreads_or(counts)) continue;
        int entries = count;
        __syncthreads();  // all threads have read `count` before any adds to it
        if (entries + TOP_STEP > TOP_CAPACITY) {
            sort_best(scores, rows, entries);
            if (threadIdx.x == 0) count = min(entries, a.k);
            if (entries >= a.k) bound = scores[a.k - 1];
            __syncthreads();
        }
        const float own[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
        for (int k = 0; k < 4; k++) {
            if (!(own[k] > bound)) continue;
            int place = atomicAdd(&count, 1);
            scores[place] = own[k];
            rows[place] = a.first_column + column + k;
        }
        __syncthreads();
    }
    int entries = count;
    if (entries > known) sort_best(scores, rows, entries);
    int found = min(entries, a.k);
    for (int i = threadIdx.x; i < found; i += blockDim.x) {
        best[i] = scores[i];
        best_rows[i] = rows[i];
    }
    if (threadIdx.x == 0) a.found[list] = found;
}

/// How many of a list, best first, come before one more. O(log count).
__device__ __forceinline__ int count_better(const float *scores, const int *rows, int count, float score, int row) {
    int low = 0, high = count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (better(scores[middle], rows[middle], score, row)) low = middle + 1; else high = middle;
    }
    return low;
}

/// One block for each row: an entry's place is that in its own list and the number of better ones in each of the others.
KERNEL __launch_bounds__(256) merge_best(const cu_merge a) {
    long long first = (long long)blockIdx.x * TOP_SHARES;
    const int *found = a.list_found + first;
    int total = 0;
    for (int share = 0; share < TOP_SHARES; share++) {
        const float *scores = a.list_scores + (first + share) * a.k;
        const int *rows = a.list_rows + (first + share) * a.k;
        total += found[share];
        for (int i = threadIdx.x; i < found[share]; i += blockDim.x) {
            int place = i;
            for (int other = 0; other < TOP_SHARES; other++) {
                if (other == share) continue;
                long long list = (first + other) * a.k;
                place += count_better(a.list_scores + list, a.list_rows + list, found[other], scores[i], rows[i]);
            }
            if (place >= a.k) continue;
            a.best[(long long)blockIdx.x * a.k + place] = scores[i];
            a.best_rows[(long long)blockIdx.x * a.k + place] = rows[i];
        }
    }
    if (threadIdx.x == 0) a.found[blockIdx.x] = min(total, a.k);
}
