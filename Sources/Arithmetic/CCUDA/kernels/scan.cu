// The gated scan (paper, sections 3.2 and 3.3) over packed sequences: one pass over memory, any length. Threads read their
// rows once into registers and get the state before them as _exchange.cu says.

/// Gates of one channel at one row; the root is of 1 - alpha^2 + 1e-8.
struct scan_gates {
    float recurrence, input, alpha, inverse_root, root;
};

/// e^-x and 1 - e^-x.
struct scan_decay {
    float kept, lost;
};

/// For x >= 0. Where x is small the loss is a series (the first term left out is 5e-8 of it), so that what is kept is off by one
/// rounding only: where that is close to 1 the state sums up thousands of its errors. Elsewhere the loss is off by 7e-7 of itself.
__device__ __forceinline__ scan_decay decay_of(float x) {
    float power = exponential(-x);
    float series = x * (1 + x * (-1.0f / 2 + x * (1.0f / 6 + x * (-1.0f / 24 + x * (1.0f / 120 - x * (1.0f / 720))))));
    return {x < 0.25f ? 1 - series : power, x < 0.25f ? series : 1 - power};
}

/// `rate` is softplus(decay). With q = 1 - alpha, 1 - alpha^2 is q (1 + alpha), never negative; the root is off by half as much as q.
__device__ __forceinline__ scan_gates gates_of(float r, float i, float rate) {
    scan_gates g;
    g.recurrence = sigmoid(r);
    g.input = sigmoid(i);
    scan_decay decay = decay_of(rate * g.recurrence);
    g.alpha = decay.kept;
    float gain = decay.lost + decay.lost * g.alpha + 1e-8f;
    g.inverse_root = rsqrtf(gain);
    g.root = gain * g.inverse_root;
    return g;
}

/// How a channel fades in a time: phi = ln(1 + time / timescale) and e^(-omega phi), the factor of its state.
struct scan_fading {
    float phi, factor;
};

/// `rate` is 1 / timescale, `fade` is omega.
__device__ __forceinline__ scan_fading fading_of(float time, float rate, float fade) {
    float phi = log1pf(time * rate);
    return {phi, decay_of(fade * phi).kept};
}

/// Bit i: row first + i begins a sequence; `sequence` is the one that `first` is in.
__device__ __forceinline__ unsigned beginnings(const int *starts, int sequence, int first, int rows) {
    if (rows == 0) return 0;
    unsigned begins = starts[sequence] == first;
    for (int start = starts[++sequence]; start < first + rows; start = starts[++sequence]) begins |= 1u << (start - first);
    return begins;
}

/// Rows past the end are computed as zeros: no other rows come after them, so their maps are not used.
template <int ROWS, int GROUP, bool TIMED> __device__ __forceinline__ void scan_rows(const cu_scan &a) {
    scan_place place = take_chunk<ROWS>(a);
    int channel = place.channel, width = a.channels, gated = a.output_gate ? place.count : 0;
    // Addresses are incremented from row to row, which is cheaper than multiplying.
    long long start = (long long)place.first * width + channel;
    const float *recurrence_gates = a.gates + start + (long long)place.first * width, *input_gates = recurrence_gates + width;
    const float *inputs = a.input + start, *output_gates = a.output_gate + place.first * a.output_gate_stride + channel;
    float r[ROWS], g[ROWS], x[ROWS], z[ROWS];
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        r[i] = i < place.count ? *recurrence_gates : 0.0f;
        g[i] = i < place.count ? *input_gates : 0.0f;
        x[i] = i < place.count ? *inputs : 0.0f;
        recurrence_gates += 2 * width;
        input_gates += 2 * width;
        inputs += width;
    }
    float rate = place.within ? softplus(a.decay[channel]) : 0.0f;
    float bias_r = place.within ? a.gate_bias[channel] : 0.0f, bias_g = place.within ? a.gate_bias[width + channel] : 0.0f;
    float gap_rate = TIMED && place.within ? a.gap_rates[channel] : 0.0f, fade = TIMED && place.within ? a.fade[channel] : 0.0f;
    int sequence = warp_sequence_of(a.starts, a.sequences, place.first);
    int origin = a.starts[sequence];
    unsigned begins = beginnings(a.starts, sequence, place.first, place.rows);
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        scan_gates gates = gates_of(r[i] + bias_r, g[i] + bias_g, rate);
        r[i] = gates.alpha;
        x[i] *= gates.root * gates.input;
        if (TIMED && i < place.count) r[i] *= fading_of(a.gaps[place.first + i], gap_rate, fade).factor;
    }
    if (begins) {
#pragma unroll
        for (int i = 0; i < ROWS; i++) {
            if (!(begins >> i & 1)) continue;
            while (a.starts[sequence + 1] <= place.first + i) sequence++;
            if (a.initial && place.within) x[i] += r[i] * a.initial[sequence * a.initial_stride + channel];
            r[i] = 0;
        }
    }
    affine own = {1, 0};
#pragma unroll
    for (int i = 0; i < ROWS; i++) own = then(own, {r[i], x[i]});
    // Read only now, so that fewer registers are in use and yet on its way while the block waits for those before it.
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        z[i] = i < gated ? *output_gates : 0.0f;
        output_gates += a.output_gate_stride;
    }
    float state = state_before<GROUP>(a, place, own, origin / (ROWS * SCAN_WARPS));
    float *states = a.states + start, *outputs = a.output + start;
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        state = r[i] * state + x[i];
        if (i < place.count) *states = state;
        if (i < gated) {
            float gate = silu(z[i]);
            if (TIMED && a.read_gaps) gate *= fading_of(a.read_gaps[place.first + i], gap_rate, fade).factor;
            *outputs = gate * state;
        }
        states += width;
        outputs += width;
    }
    forget_launches(a, place.launch);
}

KERNEL __launch_bounds__(256, 4) scan_short(const cu_scan a) { scan_rows<SCAN_SHORT_ROWS, SCAN_SHORT_GROUP, false>(a); }
KERNEL __launch_bounds__(256, 2) scan_long(const cu_scan a) {
    scan_rows<SCAN_LONG_ROWS, SCAN_LONG_GROUP, false>(a);
}
KERNEL __launch_bounds__(256, 3) scan_timed(const cu_scan a) { scan_rows<SCAN_SHORT_ROWS, SCAN_SHORT_GROUP, true>(a); }

/// One thread for each channel of each sequence.
KERNEL __launch_bounds__(256) scan_ends(const cu_scan_ends a) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= a.sequences * a.channels) return;
    int sequence = i / a.channels, channel = i % a.channels;
    int end = a.starts[sequence + 1];
    float value = end > a.starts[sequence] ? a.states[(end - 1) * (long long)a.channels + channel]
                  : a.initial              ? a.initial[sequence * a.initial_stride + channel]
                                           : 0.0f;
    a.final[sequence * a.final_stride + channel] = value;
}
