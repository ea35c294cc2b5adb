// Softmax cross-entropy over tiles of rows, sampled softmax, BPR. Logits come from a matrix product and are
// overwritten with their gradients. One block for each row; a row with a negative target has neither loss nor gradient.

/// One block for each sample, and then blocks for the targets and items. The k-th row of a sample is the first whose cumulative probability
/// is more than its point, but at least one behind the (k - 1)-th, and leaves room for those that follow.
KERNEL __launch_bounds__(256) draw_samples(const cu_drawing a) {
    __shared__ int largest[8];
    int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    if ((int)blockIdx.x >= a.samples) {
        int i = ((int)blockIdx.x - a.samples) * (int)blockDim.x + (int)threadIdx.x;
        int target = i < a.target_count ? a.targets[i] : -1, item = i < a.item_count ? a.items[i] : -1;
        if (i < a.target_count) a.target_log_q[i] = target < 0 ? 0.0f : a.log_q[target];
        if (target >= 0) a.marks[target] = 1;
        if (item >= 0) a.marks[item] = 1;
        return;
    }
    double first = a.firsts[blockIdx.x];
    int before = 0;  // the largest of all rows so far less their positions
    for (int begin = 0; begin < a.size; begin += (int)blockDim.x) {
        int k = begin + (int)threadIdx.x, low = 0, high = a.table_rows;
        double point = first + (double)k;
        while (low < high) {
            int middle = (low + high) / 2;
            if (a.cumulative[middle] > point) high = middle; else low = middle + 1;
        }
        int offset = min(low - k, a.table_rows - a.size);
#pragma unroll
        for (int step = 1; step < WARP; step *= 2) {
            int other = __shfl_up_sync(ALL_LANES, offset, step);
            if (lane >= step) offset = max(offset, other);
        }
        __syncthreads();
        if (lane == WARP - 1) largest[warp] = offset;
        __syncthreads();
        int all = before;
        for (int w = 0; w < 8; w++) {
            if (w == warp) offset = max(offset, all);
            all = max(all, largest[w]);
        }
        before = all;
        if (k >= a.size) continue;
        int row = offset + k;
        long long n = blockIdx.x * (long long)a.size + k;
        a.rows[n] = row;
        a.sample_log_q[n] = a.log_q[row];
        a.marks[row] = 1;
    }
}

__device__ __forceinline__ unsigned first_place(const cu_samples &samples, int row) {
    return (unsigned)row * 0x9E3779B1u >> samples.shift;  // multiplicative hashing (Knuth)
}

/// The position of a table row in a sample, or -1.
__device__ __forceinline__ int place_in_sample(const cu_samples &samples, int sample, int row) {
    unsigned mask = 0xFFFFFFFFu >> samples.shift;
    const unsigned long long *places = samples.places + sample * (mask + 1ll);
    for (unsigned slot = first_place(samples, row);; slot = (slot + 1) & mask) {
        unsigned long long place = places[slot];
        if ((int)(place >> 32) == row) return (int)place;
        if ((int)(place >> 32) < 0) return -1;
    }
}

/// Makes the hash tables, with linear probing: one block for each sample. Where a row ends up depends on which thread comes first, what
/// is found there does not.
KERNEL __launch_bounds__(256) place_samples(const cu_samples a) {
    unsigned mask = 0xFFFFFFFFu >> a.shift;
    unsigned long long *places = a.places + blockIdx.x * (mask + 1ll);
    for (unsigned slot = threadIdx.x; slot <= mask; slot += blockDim.x) places[slot] = ~0ull;
    __syncthreads();
    for (int j = threadIdx.x; j < a.size; j += blockDim.x) {
        int row = a.rows[blockIdx.x * (long long)a.size + j];
        unsigned long long place = (unsigned long long)row << 32 | (unsigned)j;
        unsigned slot = first_place(a, row);
        while (atomicCAS(places + slot, ~0ull, place) != ~0ull) slot = (slot + 1) & mask;
    }
}

/// Sums the gradients of a row's biased logits for each kind: each lane of warp 0 has its own sums in shared memory [kinds, 32],
/// which are then added in order.
__device__ __forceinline__ void bias_gradients(
    const cu_sparse_bias &bias, int row, float *lanes, float *parts, const float *gradients, const cu_samples *samples,
    int target, float target_gradient) {
    int lane = threadIdx.x;
    if (lane >= WARP) return;
    for (int kind = 0; kind < bias.kind_count; kind++) lanes[kind * WARP + lane] = 0;
    for (int j = bias.starts[row] + lane; j < bias.starts[row + 1]; j += WARP) {
        int column = bias.columns[j];
        if (column < 0) continue;
        float gradient = 0;
        if (column == target) {
            gradient = target_gradient;
        } else {
            int place = samples ? place_in_sample(*samples, row / samples->rows_per_sample, column) : column;
            if (place >= 0) gradient = gradients[place];
        }
        lanes[bias.kinds[j] * WARP + lane] += gradient;
    }
    __syncwarp();
    for (int kind = lane; kind < bias.kind_count; kind += WARP) {
        float sum = 0;
        for (int i = 0; i < WARP; i++) sum += lanes[kind * WARP + (kind + i) % WARP];
        parts[(long long)row * bias.kind_count + kind] = sum * bias.scale;
    }
}

#define HELD 4  // fours of a row's numbers that a thread keeps in registers
#define SOFTMAX_WARPS 16

__device__ __forceinline__ float4 exponentials(float4 x, float largest) {
    return make_float4(
        exponential(x.x - largest), exponential(x.y - largest), exponential(x.z - largest), exponential(x.w - largest));
}

__device__ __forceinline__ float4 scaled(float factor, float4 x) {
    return make_float4(factor * x.x, factor * x.y, factor * x.z, factor * x.w);
}

/// A row is read once as far as it is held; what is longer is read three times. The numbers between two rows become zeros.
KERNEL __launch_bounds__(SOFTMAX_WARPS *WARP, 2) softmax_rows(const cu_softmax a) {
    DYNAMIC_SHARED(float, lanes);
    int row = a.first_row + blockIdx.x, columns = a.logits.columns, target = a.targets[row];
    int first = 4 * threadIdx.x, step = 4 * blockDim.x, rest = HELD * step + threadIdx.x;
    float *logits = a.logits.base + blockIdx.x * a.logits.stride;
    add_bias(a.bias, row, logits, 0, columns);
    __syncthreads();
    float4 held[HELD];
    float largest = __uint_as_float(0xFF800000u), sum = 0;
#pragma unroll
    for (int k = 0; k < HELD; k++) {
        held[k] = read_scores(logits, first + k * step, columns);
        largest = fmaxf(largest, largest_of(held[k]));
    }
    for (int c = rest; c < columns; c += blockDim.x) largest = fmaxf(largest, logits[c]);
    largest = block_largest<SOFTMAX_WARPS>(largest);
#pragma unroll
    for (int k = 0; k < HELD; k++) {
        held[k] = exponentials(held[k], largest);
        sum += held[k].x + held[k].y + (held[k].z + held[k].w);  // NaN stays NaN
    }
    for (int c = rest; c < columns; c += blockDim.x) sum += exponential(logits[c] - largest);
    sum = block_sum<SOFTMAX_WARPS>(sum);
    float wanted = target < 0 ? 0.0f : logits[target];
    if (threadIdx.x == 0) a.losses[row] = target < 0 ? 0.0f : logf(sum) + largest - wanted;
    if (!a.with_gradients) return;
    __syncthreads();
    float factor = target < 0 ? 0.0f : *a.scale / sum;
#pragma unroll
    for (int k = 0; k < HELD; k++) {
        int c = first + k * step;
        if (c < columns) *(float4 *)(logits + c) = scaled(factor, held[k]);
    }
    for (int c = rest; c < columns; c += blockDim.x) logits[c] = factor * exponential(logits[c] - largest);
    __syncthreads();
    if (threadIdx.x == 0 && target >= 0) logits[target] = factor * exponential(wanted - largest) - *a.scale;
    if (!a.bias_parts) return;
    __syncthreads();
    bias_gradients(a.bias, row, lanes, a.bias_parts, logits, nullptr, target, target < 0 ? 0.0f : logits[target]);
}

/// Softmax over a row's target and the negatives of its sample other than it; logits minus log q.
KERNEL __launch_bounds__(256) sampled_softmax_rows(const cu_sampled_softmax a) {
    DYNAMIC_SHARED(float, lanes);
    __shared__ float target_bias;
    int row = a.first_row + blockIdx.x, columns = a.logits.columns, target = a.targets[row];
    int sample = row / a.samples.rows_per_sample, first = sample * a.samples.size;
    float *logits = a.logits.base + blockIdx.x * a.logits.stride;
    float part = 0;
    for (int c = threadIdx.x; c < a.hidden.columns && target >= 0; c += blockDim.x) {
        part += a.hidden.base[row * a.hidden.stride + c] * a.table.base[target * a.table.stride + c];
    }
    float dot = block_sum(part);
    if (threadIdx.x == 0) target_bias = 0;
    __syncthreads();
    if (a.bias.starts) {
        for (int j = a.bias.starts[row] + threadIdx.x; j < a.bias.starts[row + 1]; j += blockDim.x) {
            int column = a.bias.columns[j];
            if (column < 0) continue;
            float value = a.bias.scale * a.bias.values[a.bias.kinds[j]];
            int place = place_in_sample(a.samples, sample, column);
            if (place >= 0) logits[place] += value;
            if (column == target) target_bias = value;
        }
    }
    __syncthreads();
    float target_logit = target < 0 ? 0.0f : dot + target_bias - a.target_log_q[row];
    float largest = target_logit, sum = 0;
    for (int c = threadIdx.x; c < columns; c += blockDim.x) {
        // A negative that equals the target does not count: e^-infinity is 0.
        logits[c] = a.samples.rows[first + c] == target ? __uint_as_float(0xFF800000u) : logits[c] - a.log_q[first + c];
        largest = fmaxf(largest, logits[c]);
    }
    largest = block_largest(largest);
    for (int c = threadIdx.x; c < columns; c += blockDim.x) sum += exponential(logits[c] - largest);
    sum = block_sum(sum) + exponential(target_logit - largest);
    if (threadIdx.x == 0) a.losses[row] = target < 0 ? 0.0f : logf(sum) + largest - target_logit;
    if (!a.with_gradients) return;
    float factor = target < 0 ? 0.0f : *a.scale / sum;
    float slope = target < 0 ? 0.0f : factor * exponential(target_logit - largest) - *a.scale;
    if (threadIdx.x == 0) a.target_slopes[row] = slope;
    for (int c = threadIdx.x; c < columns; c += blockDim.x) {
        logits[c] = factor * exponential(logits[c] - largest);
    }
    if (!a.bias_parts) return;
    __syncthreads();
    bias_gradients(a.bias, row, lanes, a.bias_parts, logits, &a.samples, target, slope);
}

/// One warp for each row of a sample. That of the first sample which has a table row adds the gradients of all samples in order: no two
/// warps write the same table row.
KERNEL __launch_bounds__(256) add_sampled_gradients(const cu_sampled_gradients a) {
    int own = blockIdx.x * 8 + threadIdx.x / WARP, lane = threadIdx.x % WARP, count = a.samples.samples;
    if (own >= count * a.samples.size) return;
    int row = a.samples.rows[own], first = own / a.samples.size;
    for (int begin = 0; begin <= first; begin += WARP) {
        int sample = begin + lane;
        if (__any_sync(ALL_LANES, sample < first && place_in_sample(a.samples, sample, row) >= 0)) return;
    }
    for (int column = lane; column - lane < a.table.columns; column += SCATTER_COLUMNS * WARP) {
        float *target = a.table.base + row * a.table.stride + column;
        row_sums sums(target, a.table.columns - column);
        for (int begin = first; begin < count; begin += WARP) {
            int sample = begin + lane, place = sample < count ? place_in_sample(a.samples, sample, row) : -1;
            for (unsigned found = __ballot_sync(ALL_LANES, place >= 0); found; found &= found - 1) {
                int from = __ffs(found) - 1;
                long long n = (begin + from) * (long long)a.samples.size + __shfl_sync(ALL_LANES, place, from);
                sums.add(a.gradient.base + n * a.gradient.stride + column);
            }
        }
        sums.write(target);
    }
}

/// One warp for each row.
KERNEL __launch_bounds__(256) add_target_gradients(const cu_target_gradients a) {
    int n = blockIdx.x * 8 + threadIdx.x / WARP;
    if (n >= a.hidden.rows) return;
    float slope = a.slopes[n];
    int row = max(a.rows[n], 0);
    for (int c = threadIdx.x % WARP; c < a.hidden.columns; c += WARP) {
        a.hidden_gradient.base[n * a.hidden_gradient.stride + c] += slope * a.table.base[row * a.table.stride + c];
        a.row_gradients.base[n * a.row_gradients.stride + c] = slope * a.hidden.base[n * a.hidden.stride + c];
    }
}

/// -ln sigmoid(hidden (target - negative)); one warp for each row.
KERNEL __launch_bounds__(256) pairwise_rows(const cu_pairwise a) {
    int n = blockIdx.x * 8 + threadIdx.x / WARP, lane = threadIdx.x % WARP;
    if (n >= a.hidden.rows) return;
    bool counts = a.targets[n] >= 0;
    const float *hidden = a.hidden.base + n * a.hidden.stride;
    const float *target = a.table.base + max(a.targets[n], 0) * a.table.stride;
    const float *negative = a.table.base + max(a.negatives[n], 0) * a.table.stride;
    float sum = 0;
    for (int c = lane; c < a.hidden.columns; c += WARP) sum += hidden[c] * (target[c] - negative[c]);
    float margin = warp_sum(sum);
    if (lane == 0) a.losses[n] = counts ? softplus(-margin) : 0.0f;
    if (!a.hidden_gradient.base) return;
    float slope = counts ? -sigmoid(-margin) * *a.scale : 0.0f;
    float *row_gradients = a.row_gradients.base + 2 * n * a.row_gradients.stride;
    if (lane < 2) a.rows[2 * n + lane] = !counts ? -1 : lane == 0 ? a.targets[n] : a.negatives[n];
    for (int c = lane; c < a.hidden.columns; c += WARP) {
        a.hidden_gradient.base[n * a.hidden_gradient.stride + c] = slope * (target[c] - negative[c]);
        row_gradients[c] = slope * hidden[c];
        row_gradients[a.row_gradients.stride + c] = -slope * hidden[c];
    }
}
