// The gated scan (paper, sections 3.2 and 3.3) over packed sequences: one pass over memory, any length.
//
// A step of the recurrence is an affine map of the state, h -> a h + b, and so is any run of steps (Blelloch 1990); where a
// sequence begins, a is zero. A block has 32 channels and a chunk of rows: each of its 8 warps has the same number of
// consecutive rows, each lane one channel, so that memory accesses are coalesced. Threads read their rows once into
// registers, compose the maps of their rows, and compute the state before them from
//   1. the maps of the previous warps, through shared memory;
//   2. the maps of the previous chunks in a group of 32, through global memory: a map depends on no other chunk, so the wait
//      for one is short;
//   3. the state before the group, which the previous group publishes: one value for each group is all that is sequential.
// The order in which maps are composed depends on the shape only, so that equal inputs give equal bits (a look-back that
// uses what happens to be ready, as in Merrill & Garland 2016, does not). Blocks draw their chunks from an atomic counter
// (the ticket), so that a block waits only for blocks that are running. The backward pass is the same from the last row to
// the first.

#define SCAN_WARPS 8
#define GROUP_CHUNKS 32
#define WARP_CHUNKS (GROUP_CHUNKS / SCAN_WARPS)

/// h -> product h + sum.
struct affine {
    float product, sum;
};

/// First `a`, then `b`.
__device__ __forceinline__ affine then(affine a, affine b) { return {b.product * a.product, b.product * a.sum + b.sum}; }

/// Writes a number and a flag that it is there, as one word.
__device__ __forceinline__ void publish(unsigned long long *place, float value) {
    *(volatile unsigned long long *)place = (1ull << 32) | __float_as_uint(value);
}

__device__ __forceinline__ unsigned long long look(const unsigned long long *place) {
    return *(const volatile unsigned long long *)place;
}

/// The number at `place`, where ``look`` has read `word`; waits until it is there.
__device__ __forceinline__ float await_value(const unsigned long long *place, unsigned long long word) {
    while (word >> 32 == 0) {
        __nanosleep(20);
        word = look(place);
    }
    return __uint_as_float((unsigned)word);
}

/// Gates of one channel at one row; the root is of 1 - alpha^2 + 1e-8.
struct scan_gates {
    float recurrence, input, alpha, inverse_root, root;
};

/// `rate` is softplus(decay). With q = 1 - e^-x, alpha is 1 - q and 1 - alpha^2 is q (1 + alpha), never negative. For small
/// x q is a series (the first term left out is 5e-8 of it), so that alpha is off by one rounding only: where it is close
/// to 1 the state sums up thousands of its errors. Elsewhere q is off by 7e-7 of itself, the root by half of that.
__device__ __forceinline__ scan_gates gates_of(float r, float i, float rate) {
    scan_gates g;
    g.recurrence = sigmoid(r);
    g.input = sigmoid(i);
    float x = rate * g.recurrence, power = exponential(-x);
    float series = x * (1 + x * (-1.0f / 2 + x * (1.0f / 6 + x * (-1.0f / 24 + x * (1.0f / 120 - x * (1.0f / 720))))));
    float q = x < 0.25f ? series : 1 - power;
    g.alpha = x < 0.25f ? 1 - series : power;
    float gain = q + q * g.alpha + 1e-8f;
    g.inverse_root = rsqrtf(gain);
    g.root = gain * g.inverse_root;
    return g;
}

/// The rows and the channel of a thread. A warp has `rows` rows from `first` on; `count` is `rows`, or 0 past the last channel.
struct scan_place {
    int chunk, channel, first, rows, count;
    bool within;
};

/// Draws the next chunk, counted in the direction of the pass.
template <int ROWS> __device__ scan_place take_chunk(const cu_scan &a) {
    __shared__ unsigned ticket;
    if (threadIdx.x == 0) ticket = atomicAdd(a.ticket, 1u);
    __syncthreads();
    int slices = (a.channels + WARP - 1) / WARP;
    scan_place place;
    place.chunk = ticket / slices;
    place.channel = ticket % slices * WARP + threadIdx.x % WARP;
    place.first = (place.chunk * SCAN_WARPS + threadIdx.x / WARP) * ROWS;
    place.rows = max(0, min(ROWS, a.rows - place.first));
    place.within = place.channel < a.channels;
    place.count = place.within ? place.rows : 0;
    return place;
}

/// The state before the thread's rows, whose map is `own`. All threads of the block take part.
__device__ float state_before(const cu_scan &a, const scan_place &place, affine own) {
    __shared__ affine maps[SCAN_WARPS][WARP];
    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    maps[warp][lane] = own;
    __syncthreads();
    affine before = {1, 0}, whole = {1, 0};
    for (int i = 0; i < SCAN_WARPS; i++) {
        if (i == warp) before = whole;
        whole = then(whole, maps[i][lane]);
    }
    if (a.chunks == 1) return before.sum;

    int group = place.chunk / GROUP_CHUNKS, member = place.chunk % GROUP_CHUNKS;
    unsigned long long *chunk_maps = a.maps + (long long)place.chunk * 2 * a.channels;
    if (warp == 0 && place.within) {
        publish(chunk_maps + place.channel, whole.product);
        publish(chunk_maps + a.channels + place.channel, whole.sum);
    }
    // A warp reads the maps of its part of the other chunks, and the entry, before it waits for any of them.
    const unsigned long long *entry = a.entries + (long long)(group - 1) * a.channels + place.channel;
    const unsigned long long *others =
        a.maps + (long long)(group * GROUP_CHUNKS + warp * WARP_CHUNKS) * 2 * a.channels + place.channel;
    int count = place.within ? min(WARP_CHUNKS, member - warp * WARP_CHUNKS) : 0;
    unsigned long long products[WARP_CHUNKS], sums[WARP_CHUNKS], entry_word = group > 0 && place.within ? look(entry) : 0;
#pragma unroll
    for (int i = 0; i < WARP_CHUNKS; i++) {
        products[i] = i < count ? look(others + 2 * i * a.channels) : 0;
        sums[i] = i < count ? look(others + (2 * i + 1) * a.channels) : 0;
    }
    affine earlier = {1, 0};
#pragma unroll
    for (int i = 0; i < WARP_CHUNKS; i++) {
        if (i >= count) continue;
        float product = await_value(others + 2 * i * a.channels, products[i]);
        earlier = then(earlier, {product, await_value(others + (2 * i + 1) * a.channels, sums[i])});
    }
    __syncthreads();
    maps[warp][lane] = earlier;
    __syncthreads();
    affine since = {1, 0};
    for (int i = 0; i < SCAN_WARPS; i++) since = then(since, maps[i][lane]);
    float state = since.sum;
    if (group > 0 && place.within && since.product != 0.0f) {
        state += since.product * await_value(entry, entry_word);
    }
    if (warp == 0 && place.within && member == GROUP_CHUNKS - 1) {
        publish(a.entries + (long long)group * a.channels + place.channel, whole.product * state + whole.sum);
    }
    return before.product * state + before.sum;
}

/// Bit i: row first + i begins a sequence; `sequence` is the one that `first` is in.
__device__ __forceinline__ unsigned beginnings(const int *starts, int sequence, int first, int rows) {
    if (rows == 0) return 0;
    unsigned begins = starts[sequence] == first;
    for (int start = starts[++sequence]; start < first + rows; start = starts[++sequence]) begins |= 1u << (start - first);
    return begins;
}

/// Rows past the end are computed as zeros: no other rows come after them, so their maps are not used.
template <int ROWS> __device__ __forceinline__ void scan_rows(const cu_scan &a) {
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
        z[i] = i < gated ? *output_gates : 0.0f;
        recurrence_gates += 2 * width;
        input_gates += 2 * width;
        inputs += width;
        output_gates += a.output_gate_stride;
    }
    float rate = place.within ? softplus(a.decay[channel]) : 0.0f;
    float bias_r = place.within ? a.gate_bias[channel] : 0.0f, bias_g = place.within ? a.gate_bias[width + channel] : 0.0f;
    int sequence = warp_sequence_of(a.starts, a.sequences, place.first);
    unsigned begins = beginnings(a.starts, sequence, place.first, place.rows);
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        scan_gates gates = gates_of(r[i] + bias_r, g[i] + bias_g, rate);
        r[i] = gates.alpha;
        x[i] *= gates.root * gates.input;
        z[i] = silu(z[i]);
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
    float state = state_before(a, place, own);
    float *states = a.states + start, *outputs = a.output + start;
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        state = r[i] * state + x[i];
        if (i < place.count) *states = state;
        if (i < gated) *outputs = z[i] * state;
        states += width;
        outputs += width;
    }
}

KERNEL __launch_bounds__(256) scan_short(const cu_scan a) { scan_rows<4>(a); }
KERNEL __launch_bounds__(256, 2) scan_long(const cu_scan a) { scan_rows<16>(a); }

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

// Backward. With e_t the gradient that h_t has from its own row (and, for the last row of a sequence, from the final state),
// k_t = alpha_t (k_{t+1} + e_t) is what h_{t-1} gets; from sequence to sequence nothing. Rows are counted from the last.

/// The sums over a block's 8 warps, in warp 0.
__device__ __forceinline__ float sum_over_warps(float value) {
    __shared__ float partial_sums[SCAN_WARPS][WARP];
    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    __syncthreads();
    partial_sums[warp][lane] = value;
    __syncthreads();
    float sum = 0;
    for (int i = 0; i < SCAN_WARPS; i++) sum += partial_sums[i][lane];
    return sum;
}

/// As in ``scan_rows``, rows before the first are computed as zeros, so that they add nothing.
template <int ROWS> __device__ __forceinline__ void scan_rows_backward(const cu_scan_backward &b) {
    const cu_scan &a = b.forward;
    scan_place place = take_chunk<ROWS>(a);
    int channel = place.channel, width = a.channels, gated = a.output_gate ? place.count : 0;
    int last = a.rows - 1 - place.first;  // row of i = 0
    long long start = (long long)last * width + channel, gates_start = start + (long long)last * width;
    const float *recurrence_gates = a.gates + gates_start, *input_gates = recurrence_gates + width, *inputs = a.input + start;
    const float *states = a.states + start, *output_gradients = b.output_gradient + start;
    const float *output_gates = a.output_gate + last * a.output_gate_stride + channel;
    float r[ROWS], g[ROWS], x[ROWS], h[ROWS + 1], alpha[ROWS], inverse_root[ROWS], e[ROWS], z[ROWS];
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
    int newest = warp_sequence_of(a.starts, a.sequences, max(0, last));
    // Bit i: row last - i begins a sequence, or is the last of one.
    unsigned begins = 0, ends = place.rows > 0 && a.starts[newest + 1] == last + 1;
    for (int s = place.rows > 0 ? newest : -1; s >= 0 && a.starts[s] > last - place.rows; s--) {
        begins |= 1u << (last - a.starts[s]);
    }
    ends |= begins << 1;
    float *output_gate_gradients = b.output_gate_gradient + last * b.output_gate_gradient_stride + channel;
    if (!b.output_gate_gradient) gated = 0;
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        scan_gates gates = gates_of(r[i] + bias_r, g[i] + bias_g, rate);
        r[i] = gates.recurrence;
        g[i] = gates.input;
        alpha[i] = gates.alpha;
        inverse_root[i] = gates.inverse_root;
        float s = sigmoid(z[i]), gate = a.output_gate ? z[i] * s : 1.0f;
        if (i < gated) *output_gate_gradients = e[i] * h[i] * (s + gate * (1 - s));
        output_gate_gradients -= b.output_gate_gradient_stride;
        e[i] *= gate;
    }
    if (begins | ends) {
        int sequence = newest;
#pragma unroll
        for (int i = 0; i < ROWS; i++) {
            if (i >= place.count) break;
            while (a.starts[sequence] > last - i) sequence--;
            if (ends >> i & 1 && b.final_gradient) e[i] += b.final_gradient[sequence * b.final_gradient_stride + channel];
            if (begins >> i & 1) h[i + 1] = a.initial ? a.initial[sequence * a.initial_stride + channel] : 0.0f;
        }
    }
    affine own = {1, 0};
#pragma unroll
    for (int i = 0; i < ROWS; i++) own = then(own, {ends >> i & 1 ? 0.0f : alpha[i], alpha[i] * e[i]});
    float carry = state_before(a, place, own);
    float bias_r_sum = 0, bias_g_sum = 0, rate_sum = 0;
    float *recurrence_gradients = b.gate_gradients + gates_start, *gate_gradients = recurrence_gradients + width;
    float *input_gradients = b.input_gradient + start;
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        float gradient = (ends >> i & 1 ? 0.0f : carry) + e[i], root = 1 / inverse_root[i];
        // x = softplus(decay) sigmoid(R), alpha = e^-x, root = sqrt(1 - e^-2x + 1e-8).
        float slope = gradient * alpha[i];
        float exponent_gradient = slope * (g[i] * x[i] * alpha[i] * inverse_root[i] - h[i + 1]);
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
    bias_r_sum = sum_over_warps(bias_r_sum);
    bias_g_sum = sum_over_warps(bias_g_sum);
    rate_sum = sum_over_warps(rate_sum);
    if (threadIdx.x >= WARP || !place.within) return;
    float *parts = b.parts + (long long)place.chunk * 3 * width + channel;
    parts[0] = bias_r_sum;
    parts[width] = bias_g_sum;
    parts[2 * width] = rate_sum * sigmoid(a.decay[channel]);  // softplus' = sigmoid
}

KERNEL __launch_bounds__(256, 2) scan_backward_short(const cu_scan_backward b) { scan_rows_backward<4>(b); }
KERNEL __launch_bounds__(256, 2) scan_backward_long(const cu_scan_backward b) { scan_rows_backward<8>(b); }

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
