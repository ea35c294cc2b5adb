// Used by all kernels: functions with bounded errors, random words, sums over a warp or a block, rows of packed sequences.

#ifndef DYNAMIC_SHARED
#define DYNAMIC_SHARED(type, name)                                                                                     \
    extern __shared__ __align__(16) unsigned char dynamic_shared[];                                                    \
    type *name = (type *)dynamic_shared
#endif

#define WARP 32
#define ALL_LANES 0xFFFFFFFFu
#define KERNEL extern "C" __global__ void

// MARK: Functions of one number

// The kernels are compiled with approximate divisions and roots (KernelCache.swift): an instruction or two instead of
// subroutines, so that the scan keeps up with memory. NVIDIA documents errors of up to 1 unit in the last place (1.2e-7) for
// 1 / x and sqrtf, 2 for x / y, rsqrtf and exp2f. The emulated device puts in errors of just these sizes, of either sign or
// all of one (Tests/Emulator/approximate.h), and every operation has to keep within its tolerance (Operation.swift).
// Where a quotient has to be the nearest float there is __fdiv_rn.

/// e^x, with a relative error of (2 + |x| / 2) 1.2e-7: where |x| is large, e^x is added to something larger.
__device__ __forceinline__ float exponential(float x) { return exp2f(x * 1.4426950408889634f); }

/// 1 / (1 + e^-x), to 4e-7 of itself where x > -1.
__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }

/// ln(1 + e^x) without overflow.
__device__ __forceinline__ float softplus(float x) { return fmaxf(x, 0.0f) + log1pf(expf(-fabsf(x))); }

/// x sigmoid(x).
__device__ __forceinline__ float silu(float x) { return x * sigmoid(x); }

/// d/dx (x sigmoid(x)).
__device__ __forceinline__ float silu_slope(float x) {
    float s = sigmoid(x);
    return s * (1.0f + x * (1.0f - s));
}

// MARK: Dropout

/// Philox4x32-7 (Salmon et al., SC 2011).
__device__ __forceinline__ uint4 philox(uint4 x, unsigned key0, unsigned key1) {
#pragma unroll
    for (int round = 0; round < 7; round++) {
        unsigned high0 = __umulhi(0xD2511F53u, x.x), low0 = 0xD2511F53u * x.x;
        unsigned high1 = __umulhi(0xCD9E8D57u, x.z), low1 = 0xCD9E8D57u * x.z;
        x = make_uint4(high1 ^ x.y ^ key0, low1, high0 ^ x.w ^ key1, low0);
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return x;
}

/// The random words of columns c, c + 16, c + 32 and c + 48 of a row, c = 64 group + lane, lane < 16.
__device__ __forceinline__ uint4 random_words(const cu_dropout &dropout, int row, int group, int lane) {
    uint4 counter = make_uint4(16 * group + lane, (unsigned)dropout.row_numbers[row], dropout.place, *dropout.step);
    return philox(counter, dropout.seed_low, dropout.seed_high);
}

/// The factor of an element: 0 where it is dropped.
__device__ __forceinline__ float keep_factor(const cu_dropout &dropout, unsigned word) {
    return word < dropout.threshold ? 0.0f : dropout.keep_scale;
}

/// Factors of columns `column` and `column` + 32 of a row, where column % 64 < 32: what one lane of a warp holds of 64.
__device__ __forceinline__ float2 keep_factors(const cu_dropout &dropout, int row, int column) {
    if (!dropout.row_numbers) return make_float2(1.0f, 1.0f);
    uint4 words = random_words(dropout, row, column / 64, column % 16);
    bool upper = column % 32 >= 16;
    return make_float2(
        keep_factor(dropout, upper ? words.y : words.x), keep_factor(dropout, upper ? words.w : words.z));
}

// MARK: Sums

template <typename Number> __device__ __forceinline__ Number warp_sum(Number x) {
#pragma unroll
    for (int step = 16; step > 0; step /= 2) x += __shfl_xor_sync(ALL_LANES, x, step);
    return x;
}

/// Sum over a block of up to so many warps, for every thread. The order is always the same.
template <int WARPS = 8, typename Number> __device__ Number block_sum(Number x) {
    __shared__ Number parts[WARPS];
    x = warp_sum(x);
    __syncthreads();
    if (threadIdx.x % WARP == 0) parts[threadIdx.x / WARP] = x;
    __syncthreads();
    Number sum = parts[0];
    for (int i = 1; i < WARPS && i * WARP < (int)blockDim.x; i++) sum += parts[i];
    return sum;
}

/// The largest over such a block, for every thread. NaN is ignored.
template <int WARPS = 8> __device__ float block_largest(float x) {
    __shared__ float parts[WARPS];
#pragma unroll
    for (int step = 16; step > 0; step /= 2) x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, step));
    __syncthreads();
    if (threadIdx.x % WARP == 0) parts[threadIdx.x / WARP] = x;
    __syncthreads();
    float largest = parts[0];
    for (int i = 1; i < WARPS && i * WARP < (int)blockDim.x; i++) largest = fmaxf(largest, parts[i]);
    return largest;
}

// MARK: Rows of scores

/// Four of a row's numbers from column `first` on, a multiple of 4; -inf past the end. Rows are a multiple of 4 numbers apart.
__device__ __forceinline__ float4 read_scores(const float *row, int first, int columns) {
    const float nothing = __uint_as_float(0xFF800000u);
    if (first >= columns) return make_float4(nothing, nothing, nothing, nothing);
    float4 four = *(const float4 *)(row + first);
    if (first + 1 >= columns) four.y = nothing;
    if (first + 2 >= columns) four.z = nothing;
    if (first + 3 >= columns) four.w = nothing;
    return four;
}

__device__ __forceinline__ float largest_of(float4 x) { return fmaxf(fmaxf(x.x, x.y), fmaxf(x.z, x.w)); }

// MARK: Packed sequences

/// The sequence that `row` is in: starts[s] <= row < starts[s + 1]. O(log S).
__device__ __forceinline__ int sequence_of(const int *starts, int sequences, int row) {
    int low = 0, high = sequences - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (starts[middle] <= row) low = middle; else high = middle - 1;
    }
    return low;
}

/// The same, computed by a whole warp for one row: O(log S / 5) dependent reads.
__device__ __forceinline__ int warp_sequence_of(const int *starts, int sequences, int row) {
    int lane = threadIdx.x % WARP, low = 0, count = sequences;
    while (count > 1) {
        int step = (count + WARP - 1) / WARP, place = lane * step;
        bool is_before = place < count && starts[low + place] <= row;
        int skipped = (__popc(__ballot_sync(ALL_LANES, is_before)) - 1) * step;
        low += skipped;
        count = min(step, count - skipped);
    }
    return low;
}

// MARK: Sparse additions to scores

/// Adds to the scores of one row (of table rows first ..< first + columns); all threads of a block take part.
__device__ __forceinline__ void add_bias(const cu_sparse_bias &bias, int row, float *scores, int first, int columns) {
    if (!bias.starts) return;
    for (int j = bias.starts[row] + threadIdx.x; j < bias.starts[row + 1]; j += blockDim.x) {
        int column = bias.columns[j] - first;
        if (column >= 0 && column < columns) scores[column] += bias.scale * bias.values[bias.kinds[j]];
    }
}
