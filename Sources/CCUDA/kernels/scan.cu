// The gated scan (paper, sections 3.2 and 3.3) over packed sequences: one pass over memory, any length.
//
// A step of the recurrence is an affine map of the state, h -> a h + b, and so is any run of steps (Blelloch 1990); where a
// sequence begins, a is zero. A block has 32 channels and a chunk of rows: each of its 8 warps the same number of rows one
// after the other, each lane a channel, so that all accesses are whole lines. Its threads read their rows once into
// registers, find what their rows amount to, and learn the state before them from
//   1. the warps before theirs, through shared memory;
//   2. the chunks before theirs in a group of 32, whose maps come through memory: nobody waits for one but until it is
//      computed, which needs no other;
//   3. the state before the group, which the group before hands on: one link a group is all that is sequential.
// The way in which maps are put together depends on nothing but the shape, so that equal inputs give equal bits (a
// look-back that takes what happens to be ready, as in Merrill & Garland 2016, does not). Blocks take their chunks from a
// ticket, so that whoever is waited for has begun. The backward pass is the same from the last row to the first.

#define SCAN_WARPS 8
#define GROUP_CHUNKS 32

/// h -> product h + sum.
struct affine {
    float product, sum;
};

/// First `a`, then `b`.
__device__ __forceinline__ affine then(affine a, affine b) { return {b.product * a.product, b.product * a.sum + b.sum}; }

/// A number and whether it is there, in one word that is written and read at once.
__device__ __forceinline__ void publish(unsigned long long *place, float value) {
    *(volatile unsigned long long *)place = (1ull << 32) | __float_as_uint(value);
}

__device__ __forceinline__ float await_value(const unsigned long long *place) {
    unsigned long long word;
    while ((word = *(const volatile unsigned long long *)place) >> 32 == 0) __nanosleep(20);
    return __uint_as_float((unsigned)word);
}

/// Gates of one channel at one row.
struct scan_gates {
    float recurrence, input, alpha, root;
};

/// `rate` is softplus(decay). 1 - alpha^2 is -expm1(-2x), for small x by its series: never negative.
__device__ __forceinline__ scan_gates gates_of(float r, float i, float rate) {
    scan_gates g;
    g.recurrence = sigmoid(r);
    g.input = sigmoid(i);
    float x = rate * g.recurrence, y = 2.0f * x;
    g.alpha = exponential(-x);
    float series = y * (1.0f - y * 0.5f * (1.0f - y * (1.0f / 3) * (1.0f - y * 0.25f * (1.0f - y * 0.2f * (1.0f - y * (1.0f / 6))))));
    float gain = y < 0.25f ? series : 1.0f - g.alpha * g.alpha;
    g.root = sqrtf(gain + 1e-8f);
    return g;
}

/// Where a thread's rows and channel are.
struct scan_place {
    int chunk, channel, first;
    bool within;
};

/// Takes the next chunk, counted in the direction of the pass.
template <int ROWS> __device__ scan_place take_chunk(const cu_scan &a) {
    __shared__ unsigned ticket;
    if (threadIdx.x == 0) ticket = atomicAdd(a.ticket, 1u);
    __syncthreads();
    int slices = (a.channels + WARP - 1) / WARP;
    scan_place place;
    place.chunk = ticket / slices;
    place.channel = ticket % slices * WARP + threadIdx.x % WARP;
    place.first = (place.chunk * SCAN_WARPS + threadIdx.x / WARP) * ROWS;
    place.within = place.channel < a.channels;
    return place;
}

/// The state before the thread's rows, given what these amount to. All threads of the block take part.
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
    affine earlier = {1, 0};
    for (int i = 0; i < GROUP_CHUNKS / SCAN_WARPS; i++) {
        int other = warp * (GROUP_CHUNKS / SCAN_WARPS) + i;
        if (other >= member || !place.within) break;
        const unsigned long long *map = a.maps + (long long)(group * GROUP_CHUNKS + other) * 2 * a.channels;
        earlier = then(earlier, {await_value(map + place.channel), await_value(map + a.channels + place.channel)});
    }
    __syncthreads();
    maps[warp][lane] = earlier;
    __syncthreads();
    affine since = {1, 0};
    for (int i = 0; i < SCAN_WARPS; i++) since = then(since, maps[i][lane]);
    float state = since.sum;
    if (group > 0 && place.within && since.product != 0.0f) {
        state += since.product * await_value(a.entries + (long long)(group - 1) * a.channels + place.channel);
    }
    if (warp == 0 && place.within && member == GROUP_CHUNKS - 1) {
        publish(a.entries + (long long)group * a.channels + place.channel, whole.product * state + whole.sum);
    }
    return before.product * state + before.sum;
}

template <int ROWS> __device__ void scan_rows(const cu_scan &a) {
    scan_place place = take_chunk<ROWS>(a);
    int channel = place.channel, width = a.channels, count = place.within ? min(ROWS, a.rows - place.first) : 0;
    float r[ROWS], g[ROWS], x[ROWS];
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        long long row = place.first + i;
        bool there = i < count;
        r[i] = there ? a.gates[row * 2 * width + channel] : 0.0f;
        g[i] = there ? a.gates[row * 2 * width + width + channel] : 0.0f;
        x[i] = there ? a.input[row * width + channel] : 0.0f;
    }
    float rate = place.within ? softplus(a.decay[channel]) : 0.0f;
    float bias_r = place.within ? a.gate_bias[channel] : 0.0f, bias_g = place.within ? a.gate_bias[width + channel] : 0.0f;
    int sequence = count > 0 ? sequence_of(a.starts, a.sequences, place.first) : 0;
    affine own = {1, 0};
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        if (i >= count) continue;
        int row = place.first + i;
        while (a.starts[sequence + 1] <= row) sequence++;
        scan_gates gates = gates_of(r[i] + bias_r, g[i] + bias_g, rate);
        r[i] = gates.alpha;
        x[i] = gates.root * gates.input * x[i];
        if (row == a.starts[sequence]) {
            if (a.initial) x[i] += r[i] * a.initial[sequence * a.initial_stride + channel];
            r[i] = 0;
        }
        own = then(own, {r[i], x[i]});
    }
    float state = state_before(a, place, own);
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        if (i >= count) continue;
        long long row = place.first + i;
        state = r[i] * state + x[i];
        a.states[row * width + channel] = state;
        if (a.output_gate) a.output[row * width + channel] = silu(a.output_gate[row * a.output_gate_stride + channel]) * state;
    }
}

KERNEL __launch_bounds__(256) scan_short(const cu_scan a) { scan_rows<4>(a); }
KERNEL __launch_bounds__(256) scan_long(const cu_scan a) { scan_rows<16>(a); }

/// A thread has one channel of one sequence.
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

/// Sums of a block's 8 warps, for warp 0.
__device__ __forceinline__ float sum_over_warps(float value) {
    __shared__ float shares[SCAN_WARPS][WARP];
    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    __syncthreads();
    shares[warp][lane] = value;
    __syncthreads();
    float sum = 0;
    for (int i = 0; i < SCAN_WARPS; i++) sum += shares[i][lane];
    return sum;
}

template <int ROWS> __device__ void scan_rows_backward(const cu_scan_backward &b) {
    const cu_scan &a = b.forward;
    scan_place place = take_chunk<ROWS>(a);
    int channel = place.channel, width = a.channels, count = place.within ? min(ROWS, a.rows - place.first) : 0;
    int last = a.rows - 1 - place.first;  // row of i = 0
    float r[ROWS], g[ROWS], x[ROWS], z[ROWS], h[ROWS + 1], dy[ROWS], alpha[ROWS], e[ROWS];
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        long long row = last - i;
        bool there = i < count;
        r[i] = there ? a.gates[row * 2 * width + channel] : 0.0f;
        g[i] = there ? a.gates[row * 2 * width + width + channel] : 0.0f;
        x[i] = there ? a.input[row * width + channel] : 0.0f;
        h[i] = there ? a.states[row * width + channel] : 0.0f;
        dy[i] = there ? b.output_gradient[row * width + channel] : 0.0f;
        z[i] = there && a.output_gate ? a.output_gate[row * a.output_gate_stride + channel] : 0.0f;
    }
    // The state before the earliest row, unless that begins a sequence.
    h[ROWS] = count == ROWS && last - ROWS >= 0 ? a.states[(long long)(last - ROWS) * width + channel] : 0.0f;
    float rate = place.within ? softplus(a.decay[channel]) : 0.0f;
    float bias_r = place.within ? a.gate_bias[channel] : 0.0f, bias_g = place.within ? a.gate_bias[width + channel] : 0.0f;
    int sequence = count > 0 ? sequence_of(a.starts, a.sequences, last) : 0;
    int newest = sequence;
    affine own = {1, 0};
    unsigned ends = 0;  // bit i: row i is the last of its sequence
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        if (i >= count) continue;
        int row = last - i;
        while (a.starts[sequence] > row) sequence--;
        r[i] += bias_r;
        g[i] += bias_g;
        alpha[i] = gates_of(r[i], g[i], rate).alpha;
        e[i] = a.output_gate ? dy[i] * silu(z[i]) : dy[i];
        bool is_last = row == a.starts[sequence + 1] - 1;
        if (is_last) {
            ends |= 1u << i;
            if (b.final_gradient) e[i] += b.final_gradient[sequence * b.final_gradient_stride + channel];
        }
        own = then(own, {is_last ? 0.0f : alpha[i], alpha[i] * e[i]});
    }
    float carry = state_before(a, place, own);
    float bias_r_sum = 0, bias_g_sum = 0, rate_sum = 0;
    sequence = newest;
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        if (i >= count) continue;
        long long row = last - i;
        while (a.starts[sequence] > row) sequence--;
        bool is_first = row == a.starts[sequence];
        float before = !is_first  ? h[i + 1]
                       : a.initial ? a.initial[sequence * a.initial_stride + channel]
                                   : 0.0f;
        scan_gates gates = gates_of(r[i], g[i], rate);
        float gradient = (ends >> i & 1 ? 0.0f : carry) + e[i];
        if (a.output_gate && b.output_gate_gradient) {
            b.output_gate_gradient[row * b.output_gate_gradient_stride + channel] = dy[i] * h[i] * silu_slope(z[i]);
        }
        b.input_gradient[row * width + channel] = gradient * gates.root * gates.input;
        // x = softplus(decay) sigmoid(R), alpha = e^-x, root = sqrt(1 - e^-2x + 1e-8).
        float exponent_gradient = gradient * gates.input * x[i] * gates.alpha * gates.alpha / gates.root - gradient * before * gates.alpha;
        float dr = exponent_gradient * rate * gates.recurrence * (1.0f - gates.recurrence);
        float dg = gradient * gates.root * x[i] * gates.input * (1.0f - gates.input);
        b.gate_gradients[row * 2 * width + channel] = dr;
        b.gate_gradients[row * 2 * width + width + channel] = dg;
        bias_r_sum += dr;
        bias_g_sum += dg;
        rate_sum += exponent_gradient * gates.recurrence;
        carry = gates.alpha * gradient;
        if (is_first && b.initial_gradient) b.initial_gradient[sequence * b.initial_gradient_stride + channel] = carry;
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

KERNEL __launch_bounds__(256) scan_backward_short(const cu_scan_backward b) { scan_rows_backward<4>(b); }
KERNEL __launch_bounds__(256) scan_backward_long(const cu_scan_backward b) { scan_rows_backward<8>(b); }

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
