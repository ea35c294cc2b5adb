// The gated scan's backward pass: as the forward pass (scan.cu), from the last row to the first.
//
// With e_t the gradient that h_t has from its own row (and, for the last row of a sequence, from the final state),
// k_t = keep_t (k_{t+1} + e_t) is what h_{t-1} gets, where keep is alpha, faded where there are times; from sequence to sequence
// nothing. Rows are counted from the last.

/// Sums over the block's 8 warps, of which each of the first three or four adds up one, to the chunk's row of `parts`.
template <int SUMS> __device__ __forceinline__ void add_over_warps(
    const cu_scan_backward &b, const scan_place &place, float bias_r, float bias_g, float rate, float fade) {
    __shared__ float terms[SUMS][SCAN_WARPS][WARP];
    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP, width = b.forward.channels;
    terms[0][warp][lane] = bias_r;
    terms[1][warp][lane] = bias_g;
    terms[2][warp][lane] = rate;
    if (SUMS > 3) terms[SUMS - 1][warp][lane] = fade;
    __syncthreads();
    if (warp >= SUMS || !place.within) return;
    float sum = 0;
#pragma unroll
    for (int i = 0; i < SCAN_WARPS; i++) sum += terms[warp][i][lane];
    if (warp == 2) sum *= sigmoid(b.forward.decay[place.channel]);  // softplus' = sigmoid
    b.parts[((long long)place.chunk * SUMS + warp) * width + place.channel] = sum;
}

/// As in ``scan_rows``, rows before the first are computed as zeros, so that they add nothing.
template <int ROWS, int GROUP, bool TIMED> __device__ __forceinline__ void scan_rows_backward(const cu_scan_backward &b) {
    const cu_scan &a = b.forward;
    scan_place place = take_chunk<ROWS>(a);
    int channel = place.channel, width = a.channels, gated = a.output_gate ? place.count : 0;
    int last = a.rows - 1 - place.first;  // row of i = 0
    long long start = (long long)last * width + channel, gates_start = start + (long long)last * width;
    const float *recurrence_gates = a.gates + gates_start, *input_gates = recurrence_gates + width, *inputs = a.input + start;
    const float *states = a.states + start, *output_gradients = b.output_gradient + start;
    const float *output_gates = a.output_gate + last * a.output_gate_stride + channel;
    float r[ROWS], g[ROWS], x[ROWS], h[ROWS + 1], alpha[ROWS], keep[ROWS], phi[ROWS], inverse_root[ROWS], e[ROWS], z[ROWS];
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        r[i] = i < place.count ? *recurrence_gates : 0.0f;
        g[i] = i < place.count ? *input_gates : 0.0f;
        x[i] = i < place.count ? *inputs : 0.0f;
        h[i] = i < place.count ? *states : 0.0f;
        e[i] = i < place.count ? *output_gradients : 0.0f;
        z[i] = i < gated ? *output_gates : 0.0f;
        recurrence_gates -= 2 * width;
        input_gates -= 2 * width;
        inputs -= width;
        states -= width;
        output_gradients -= width;
        output_gates -= a.output_gate_stride;
    }
    // The state before the earliest row, unless that begins a sequence.
    h[ROWS] = place.count == ROWS && last >= ROWS ? *states : 0.0f;
    float rate = place.within ? softplus(a.decay[channel]) : 0.0f;
    float bias_r = place.within ? a.gate_bias[channel] : 0.0f, bias_g = place.within ? a.gate_bias[width + channel] : 0.0f;
    float gap_rate = TIMED && place.within ? a.gap_rates[channel] : 0.0f, fade = TIMED && place.within ? a.fade[channel] : 0.0f;
    int newest = warp_sequence_of(a.starts, a.sequences, max(0, last));
    // Bit i: row last - i begins a sequence, or is the last of one.
    unsigned begins = 0, ends = place.rows > 0 && a.starts[newest + 1] == last + 1;
    for (int s = place.rows > 0 ? newest : -1; s >= 0 && a.starts[s] > last - place.rows; s--) {
        begins |= 1u << (last - a.starts[s]);
    }
    ends |= begins << 1;
    float *output_gate_gradients = b.output_gate_gradient + last * b.output_gate_gradient_stride + channel;
    if (!b.output_gate_gradient) gated = 0;
    float bias_r_sum = 0, bias_g_sum = 0, rate_sum = 0, fade_sum = 0;
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        scan_gates gates = gates_of(r[i] + bias_r, g[i] + bias_g, rate);
        r[i] = gates.recurrence;
        g[i] = gates.input;
        alpha[i] = gates.alpha;
        inverse_root[i] = gates.inverse_root;
        keep[i] = gates.alpha;
        float s = sigmoid(z[i]), gate = a.output_gate ? z[i] * s : 1.0f;
        if (TIMED && i < place.count) {
            scan_fading waited = fading_of(a.gaps[last - i], gap_rate, fade);
            keep[i] *= waited.factor;
            phi[i] = waited.phi;
            if (a.read_gaps) {
                scan_fading read = fading_of(a.read_gaps[last - i], gap_rate, fade);
                e[i] *= read.factor;
                fade_sum -= e[i] * gate * h[i] * read.phi;
            }
        }
        if (i < gated) *output_gate_gradients = e[i] * h[i] * (s + gate * (1 - s));
        output_gate_gradients -= b.output_gate_gradient_stride;
        e[i] *= gate;
    }
    if (begins | ends) {
        int sequence = newest;
#pragma unroll
        for (int i = 0; i < ROWS; i++) {
            if (i >= place.count) continue;
            while (a.starts[sequence] > last - i) sequence--;
            if (ends >> i & 1 && b.final_gradient) e[i] += b.final_gradient[sequence * b.final_gradient_stride + channel];
            if (begins >> i & 1) h[i + 1] = a.initial ? a.initial[sequence * a.initial_stride + channel] : 0.0f;
        }
    }
    affine own = {1, 0};
#pragma unroll
    for (int i = 0; i < ROWS; i++) own = then(own, {ends >> i & 1 ? 0.0f : keep[i], keep[i] * e[i]});
    int origin = a.rows - a.starts[newest + 1];
    float carry = state_before<GROUP>(a, place, own, origin / (ROWS * SCAN_WARPS));
    float *recurrence_gradients = b.gate_gradients + gates_start, *gate_gradients = recurrence_gradients + width;
    float *input_gradients = b.input_gradient + start;
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        float gradient = (ends >> i & 1 ? 0.0f : carry) + e[i], root = 1 / inverse_root[i];
        // x = softplus(decay) sigmoid(R), alpha = e^-x, root = sqrt(1 - e^-2x + 1e-8).
        float slope = gradient * keep[i];
        float exponent_gradient = TIMED ? gradient * alpha[i] * g[i] * x[i] * alpha[i] * inverse_root[i] - slope * h[i + 1]
                                        : slope * (g[i] * x[i] * alpha[i] * inverse_root[i] - h[i + 1]);
        if (TIMED && i < place.count) fade_sum -= slope * h[i + 1] * phi[i];
        float dr = exponent_gradient * rate * r[i] * (1 - r[i]);
        float dg = gradient * root * x[i] * g[i] * (1 - g[i]);
        if (i < place.count) {
            *input_gradients = gradient * root * g[i];
            *recurrence_gradients = dr;
            *gate_gradients = dg;
        }
        input_gradients -= width;
        recurrence_gradients -= 2 * width;
        gate_gradients -= 2 * width;
        bias_r_sum += dr;
        bias_g_sum += dg;
        rate_sum += exponent_gradient * r[i];
        carry = e[i] = slope;
    }
    if (begins && b.initial_gradient) {
        int sequence = newest;
#pragma unroll
        for (int i = 0; i < ROWS; i++) {
            if (i >= place.count || !(begins >> i & 1)) continue;
            while (a.starts[sequence] > last - i) sequence--;
            b.initial_gradient[sequence * b.initial_gradient_stride + channel] = e[i];
        }
    }
    add_over_warps<TIMED ? 4 : 3>(b, place, bias_r_sum, bias_g_sum, rate_sum, fade_sum);
    forget_launches(a, place.launch);
}

KERNEL __launch_bounds__(256, 3) scan_backward_short(const cu_scan_backward b) {
    scan_rows_backward<SCAN_SHORT_ROWS, SCAN_SHORT_GROUP, false>(b);
}
KERNEL __launch_bounds__(256, 2) scan_backward_long(const cu_scan_backward b) {
    scan_rows_backward<SCAN_LONG_BACKWARD_ROWS, SCAN_LONG_BACKWARD_GROUP, false>(b);
}
KERNEL __launch_bounds__(256, 2) scan_timed_backward(const cu_scan_backward b) {
    scan_rows_backward<SCAN_SHORT_ROWS, SCAN_SHORT_GROUP, true>(b);
}

/// Gradient of the state before sequences without rows: that of the state after them.
KERNEL __launch_bounds__(256) scan_backward_ends(const cu_scan_backward b) {
    const cu_scan &a = b.forward;
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= a.sequences * a.channels) return;
    int sequence = i / a.channels, channel = i % a.channels;
    if (a.starts[sequence + 1] > a.starts[sequence]) return;
    b.initial_gradient[sequence * b.initial_gradient_stride + channel] =
        b.final_gradient ? b.final_gradient[sequence * b.final_gradient_stride + channel] : 0.0f;
}
