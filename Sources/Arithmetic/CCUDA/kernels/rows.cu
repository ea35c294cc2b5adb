// LayerNorm with residual and dropout; bias, SiLU and dropout.

/// s = dropout(input + bias) + residual, normalised and scaled; one warp for each row. `input` is overwritten with the normalised row.
KERNEL __launch_bounds__(256) residual_norm(const cu_norm a) {
    int row = blockIdx.x * 8 + threadIdx.x / WARP, lane = threadIdx.x % WARP, width = a.input.columns;
    if (row >= a.input.rows) return;
    float *x = a.input.base + row * a.input.stride;
    const float *residual = a.residual.base ? a.residual.base + row * a.residual.stride : nullptr;
    float *output = a.output.base + row * a.output.stride;
    float sum = 0;
    for (int group = 0; group < width; group += 64) {
        float2 keep = keep_factors(a.dropout, row, group + lane);
#pragma unroll
        for (int half = 0; half < 2; half++) {
            int c = group + 32 * half + lane;
            if (c >= width) continue;
            float s = (x[c] + (a.bias ? a.bias[c] : 0.0f)) * (half ? keep.y : keep.x) + (residual ? residual[c] : 0.0f);
            x[c] = s;
            sum += s;
        }
    }
    // Correctly rounded: a row of equal numbers has just their mean, however wide it is, where its sum is exact.
    float mean = __fdiv_rn(warp_sum(sum), width), squares = 0;
    for (int c = lane; c < width; c += WARP) squares += (x[c] - mean) * (x[c] - mean);
    float variance = warp_sum(squares) / width;
    float inverse = variance > 0 ? 1.0f / sqrtf(variance + a.epsilon) : 0.0f;
    if (lane == 0) a.rstd[row] = inverse;
    for (int c = lane; c < width; c += WARP) {
        float normalized = (x[c] - mean) * inverse;
        x[c] = normalized;
        output[c] = normalized * a.scale[c] + a.shift[c];
    }
}

/// With x the normalised row and g = dy scale: ds = (g - mean(g) - x mean(g x)) rstd. Rows go to the warps in turn;
/// each lane has its own columns of the warp's partial sums of the parameters' gradients.
KERNEL __launch_bounds__(256) residual_norm_backward(const cu_norm_backward a) {
    DYNAMIC_SHARED(float, sums);  // [warps, 3, D]
    int warps = blockDim.x / WARP, warp = threadIdx.x / WARP, lane = threadIdx.x % WARP, width = a.normalized.columns;
    float *own = sums + warp * 3 * width;
    for (int c = lane; c < 3 * width; c += WARP) own[c] = 0;
    __syncwarp();
    for (int row = blockIdx.x * warps + warp; row < a.normalized.rows; row += gridDim.x * warps) {
        const float *x = a.normalized.base + row * a.normalized.stride;
        const float *gradient = a.output_gradient.base + row * a.output_gradient.stride;
        float mean = 0, slope = 0, inverse = a.rstd[row];
        for (int c = lane; c < width; c += WARP) {
            float g = gradient[c] * a.scale[c];
            mean += g;
            slope += g * x[c];
        }
        mean = warp_sum(mean) / width;
        slope = warp_sum(slope) / width;
        for (int group = 0; group < width; group += 64) {
            float2 keep = keep_factors(a.dropout, row, group + lane);
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int c = group + 32 * half + lane;
                if (c >= width) continue;
                float dy = gradient[c], normalized = x[c];
                float sum_gradient = (dy * a.scale[c] - mean - normalized * slope) * inverse;
                float dropped = sum_gradient * (half ? keep.y : keep.x);
                own[c] += dy * normalized;
                own[width + c] += dy;
                own[2 * width + c] += dropped;
                if (a.residual_gradient.base) a.residual_gradient.base[row * a.residual_gradient.stride + c] = sum_gradient;
                a.input_gradient.base[row * a.input_gradient.stride + c] = dropped;
            }
        }
    }
    __syncthreads();
    for (int c = threadIdx.x; c < 3 * width; c += blockDim.x) {
        float sum = sums[c];
        for (int i = 1; i < warps; i++) sum += sums[i * 3 * width + c];
        a.parts[(long long)blockIdx.x * 3 * width + c] = sum;
    }
}

/// output = dropout(SiLU(input + bias)). A thread has columns c, c + 16, c + 32 and c + 48 of a row: one draw of Philox.
KERNEL __launch_bounds__(256) activate(const cu_activation a) {
    int lane = threadIdx.x % 16, column = blockIdx.x * 64 + lane;
    for (int i = 0; i < a.rows_per_block / 16; i++) {
        int row = blockIdx.y * a.rows_per_block + 16 * i + threadIdx.x / 16;
        if (row >= a.input.rows) return;
        uint4 words = make_uint4(0, 0, 0, 0);
        if (a.dropout.row_numbers) words = random_words(a.dropout, row, blockIdx.x, lane);
        const unsigned word[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
        for (int k = 0; k < 4; k++) {
            int c = column + 16 * k;
            if (c >= a.input.columns) continue;
            float keep = a.dropout.row_numbers ? keep_factor(a.dropout, word[k]) : 1.0f;
            float x = a.input.base[row * a.input.stride + c] + (a.bias ? a.bias[c] : 0.0f);
            a.output.base[row * a.output.stride + c] = silu(x) * keep;
        }
    }
}

KERNEL __launch_bounds__(256) activate_backward(const cu_activation a) {
    __shared__ float partial_sums[16][64];
    int lane = threadIdx.x % 16, group = threadIdx.x / 16, column = blockIdx.x * 64 + lane;
    float sums[4] = {0, 0, 0, 0};
    for (int i = 0; i < a.rows_per_block / 16; i++) {
        int row = blockIdx.y * a.rows_per_block + 16 * i + group;
        if (row >= a.input.rows) break;
        uint4 words = make_uint4(0, 0, 0, 0);
        if (a.dropout.row_numbers) words = random_words(a.dropout, row, blockIdx.x, lane);
        const unsigned word[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
        for (int k = 0; k < 4; k++) {
            int c = column + 16 * k;
            if (c >= a.input.columns) continue;
            float keep = a.dropout.row_numbers ? keep_factor(a.dropout, word[k]) : 1.0f;
            float x = a.input.base[row * a.input.stride + c] + (a.bias ? a.bias[c] : 0.0f);
            float gradient = a.output_gradient.base[row * a.output_gradient.stride + c] * silu_slope(x) * keep;
            sums[k] += gradient;
            a.output.base[row * a.output.stride + c] = gradient;
        }
    }
    if (!a.parts) return;
#pragma unroll
    for (int k = 0; k < 4; k++) partial_sums[group][lane + 16 * k] = sums[k];
    __syncthreads();
    int c = blockIdx.x * 64 + threadIdx.x;
    if (threadIdx.x >= 64 || c >= a.input.columns) return;
    float sum = partial_sums[0][threadIdx.x];
    for (int i = 1; i < 16; i++) sum += partial_sums[i][threadIdx.x];
    a.parts[(long long)blockIdx.y * a.input.columns + c] = sum;
}
