// Causal depthwise convolution + SiLU over packed sequences. Row t of a sequence that begins at row s reads rows t - (K - 1)
// ... t; those before s are zero or come from the window, whose last row is the one just before s.

#define MAXIMUM_TAPS 16
#define ROW_TILE 32

/// Element of a window [S, (K - 1) H]; `back` 1 is the row just before the sequence. Zero without a window.
__device__ __forceinline__ float window_value(
    const float *window, long long stride, int sequence, int back, int taps, int channels, int channel) {
    return window ? window[sequence * stride + (taps - 1 - back) * channels + channel] : 0.0f;
}

/// bias + Σ weight[k] x[t - (K - 1) + k] of one channel.
__device__ __forceinline__ float preactivation(const cu_convolution &a, int sequence, int start, int row, int channel) {
    int channels = a.input.columns;
    float sum = a.bias[channel];
    for (int k = 0; k < a.taps; k++) {
        int source = row - (a.taps - 1) + k;
        float x = source >= start
                      ? a.input.base[source * a.input.stride + channel]
                      : window_value(a.window, a.window_stride, sequence, start - source, a.taps, channels, channel);
        sum += a.weight[k * channels + channel] * x;
    }
    return sum;
}

/// A block has 32 channels, a thread four rows.
KERNEL __launch_bounds__(256) convolve(const cu_convolution a) {
    int channel = blockIdx.y * WARP + threadIdx.x % WARP;
    int row = blockIdx.x * ROW_TILE + threadIdx.x / WARP * 4, end = min(row + 4, a.input.rows);
    if (row >= end || channel >= a.input.columns) return;
    int sequence = sequence_of(a.starts, a.sequences, row);
    for (; row < end; row++) {
        while (a.starts[sequence + 1] <= row) sequence++;
        float sum = preactivation(a, sequence, a.starts[sequence], row, channel);
        a.output.base[row * a.output.stride + channel] = silu(sum);
    }
}

/// The last K - 1 inputs of each sequence. A thread has one channel of one sequence and moves from the oldest to the
/// newest, so that the final window may be the window.
KERNEL __launch_bounds__(256) convolve_ends(const cu_convolution a) {
    int channels = a.input.columns, past = a.taps - 1;
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= a.sequences * channels) return;
    int sequence = i / channels, channel = i % channels;
    int start = a.starts[sequence], end = a.starts[sequence + 1];
    for (int slot = 0; slot < past; slot++) {
        int source = end - past + slot;
        float x = source >= start
                      ? a.input.base[source * a.input.stride + channel]
                      : window_value(a.window, a.window_stride, sequence, start - source, a.taps, channels, channel);
        a.final_window[sequence * a.final_stride + slot * channels + channel] = x;
    }
}

/// A block has 32 rows and 32 channels. It also needs the gradients of the pre-activation of the K - 1 rows after these.
KERNEL __launch_bounds__(256) convolve_backward(const cu_convolution a) {
    __shared__ float slopes[ROW_TILE + MAXIMUM_TAPS][WARP];
    __shared__ int sequences[ROW_TILE + MAXIMUM_TAPS];
    __shared__ float partial_sums[8][WARP];
    int channels = a.input.columns, rows = a.input.rows, past = a.taps - 1;
    int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, channel = blockIdx.y * WARP + lane;
    int first = blockIdx.x * ROW_TILE;
    bool within = channel < channels;
    for (int i = threadIdx.x; i < ROW_TILE + past; i += blockDim.x) {
        sequences[i] = first + i < rows ? sequence_of(a.starts, a.sequences, first + i) : -1;
    }
    __syncthreads();
    for (int i = warp; i < ROW_TILE + past; i += 8) {
        int row = first + i, sequence = sequences[i];
        float slope = 0;
        if (within && sequence >= 0) {
            float sum = preactivation(a, sequence, a.starts[sequence], row, channel);
            slope = a.output_gradient.base[row * a.output_gradient.stride + channel] * silu_slope(sum);
        }
        slopes[i][lane] = slope;
    }
    __syncthreads();
    for (int i = warp; i < ROW_TILE; i += 8) {
        int row = first + i, sequence = sequences[i];
        if (!within || sequence < 0) continue;
        float sum = 0;
        for (int later = 0; later < a.taps; later++) {
            if (sequences[i + later] != sequence) break;
            sum += a.weight[(past - later) * channels + channel] * slopes[i + later][lane];
        }
        int slot = row - (a.starts[sequence + 1] - past);
        if (a.final_window_gradient && slot >= 0) {
            sum += a.final_window_gradient[sequence * a.final_gradient_stride + slot * channels + channel];
        }
        a.input_gradient.base[row * a.input_gradient.stride + channel] = sum;
    }
    for (int k = 0; k <= a.taps; k++) {  // the last round is the bias's
        float sum = 0;
        for (int i = warp; i < ROW_TILE; i += 8) {
            int sequence = sequences[i];
            if (!within || sequence < 0) continue;
            int source = first + i - past + k, start = a.starts[sequence];
            float x = k == a.taps     ? 1.0f
                      : source >= start ? a.input.base[source * a.input.stride + channel]
                                        : window_value(a.window, a.window_stride, sequence, start - source, a.taps,
                                                       channels, channel);
            sum += slopes[i][lane] * x;
        }
        partial_sums[warp][lane] = sum;
        __syncthreads();
        if (warp == 0 && within) {
            for (int i = 1; i < 8; i++) sum += partial_sums[i][lane];
            a.parts[((long long)blockIdx.x * (a.taps + 1) + k) * channels + channel] = sum;
        }
        __syncthreads();
    }
}

/// Gradient of the window: entry j of the K - 1 rows before a sequence is read by row i through tap j - i, and the final
/// window where the sequence is short.
KERNEL __launch_bounds__(256) convolve_window_backward(const cu_convolution a) {
    int channels = a.input.columns, past = a.taps - 1;
    int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= a.sequences * channels) return;
    int sequence = index / channels, channel = index % channels;
    int start = a.starts[sequence], length = a.starts[sequence + 1] - start;
    for (int j = 0; j < past; j++) {
        float sum = 0;
        for (int i = 0; i <= j && i < length; i++) {
            float x = preactivation(a, sequence, start, start + i, channel);
            float gradient = a.output_gradient.base[(start + i) * a.output_gradient.stride + channel] * silu_slope(x);
            sum += a.weight[(j - i) * channels + channel] * gradient;
        }
        if (a.final_window_gradient && j >= length) {
            sum += a.final_window_gradient[sequence * a.final_gradient_stride + (j - length) * channels + channel];
        }
        a.window_gradient[sequence * a.window_gradient_stride + j * channels + channel] = sum;
    }
}
