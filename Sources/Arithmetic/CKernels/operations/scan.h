// The gated linear recurrence (BD-LRU), row by row: channels are independent, so a row is one pass of vectors and
// the state of the row before is still in the nearest cache.

// Gates of one vector of channels: x = rate·σ(R); α = e^−x; root = sqrt(1 − α² + 1e-8); β = root·σ(I).
// With e = expm1(−x): α = 1 + e and 1 − α² = −e·(2 + e), which is never negative and exact near 0.
// `keep` is the factor of the state before: α, and where there are gaps e^(−ω·φ) as well.
typedef struct { vf recurrence, input, alpha, root, keep; } gate_values;

// `timed` is a constant wherever it is passed: without gaps the compiler makes the same code, and so the same roundings, as if there were none.

// φ(Δ) = log(1 + Δ / τ).
INLINE vf waited(const ck_scan *a, float gap, ptrdiff_t c, ptrdiff_t m) { return vlog1p(gap * load(a->gap_rate + c, m)); }
// e^(−ω·φ).
INLINE vf fading(const ck_scan *a, vf phi, ptrdiff_t c, ptrdiff_t m) { return vexp(-load(a->fade + c, m) * phi); }
// SiLU(z), or e^(−ω·φ(Δ))·SiLU(z) where the state is read at another time than the event's: the output's factor of the state.
INLINE vf output_factor(const ck_scan *a, ptrdiff_t t, ptrdiff_t c, ptrdiff_t m, int timed) {
    vf z = load(a->output_gate + t * a->ld_output_gate + c, m), gate = z * sigmoid(z);
    return timed && a->read_gaps ? gate * fading(a, waited(a, a->read_gaps[t], c, m), c, m) : gate;
}

INLINE gate_values gates_at(const ck_scan *a, ptrdiff_t t, ptrdiff_t c, ptrdiff_t m, int timed) {
    const float *row = a->gates + t * 2 * a->channels;
    gate_values g;
    g.recurrence = sigmoid(load(row + c, m) + load(a->gate_bias + c, m));
    g.input = sigmoid(load(row + a->channels + c, m) + load(a->gate_bias + a->channels + c, m));
    vf e = vexpm1_negative(-load(a->rate + c, m) * g.recurrence);
    g.alpha = 1.0f + e;
    g.root = vsqrt(1e-8f - e * (2.0f + e));
    g.keep = timed ? g.alpha * fading(a, waited(a, a->gaps[t], c, m), c, m) : g.alpha;
    return g;
}

INLINE void scan_rows(const ck_scan *a, ptrdiff_t begin, ptrdiff_t end, const float *initial, float *states,
                      float *output, int timed) {
    ptrdiff_t n = a->channels;
    for (ptrdiff_t t = begin; t < end; t++) {
        const float *before = t > begin ? states + (t - 1) * n : initial;
        FOR_VECTORS(c, m, 0, n) {
            gate_values g = gates_at(a, t, c, m, timed);
            vf h = g.root * g.input * load(a->input + t * n + c, m);
            if (before) h = multiply_add(g.keep, load(before + c, m), h);  // a chunk's first row like all others
            store(states + t * n + c, h, m);
            if (a->output_gate) store(output + t * n + c, output_factor(a, t, c, m, timed) * h, m);
        }
    }
}

INLINE void scan_summary_rows(const ck_scan *a, ptrdiff_t begin, ptrdiff_t end, float *product, float *total, int timed) {
    ptrdiff_t n = a->channels;
    FOR_VECTORS(c, m, 0, n) {
        vf p = set1(1), h = set1(0);
        for (ptrdiff_t t = begin; t < end; t++) {
            gate_values g = gates_at(a, t, c, m, timed);
            h = g.keep * h + g.root * g.input * load(a->input + t * n + c, m);
            p *= g.keep;
        }
        store(product + c, p, m);
        store(total + c, h, m);
    }
}

// With g the gradient of h_t and k the factor of h_{t−1}: carry ← k·g; ∂x = −k·∂k + ∂root·α²/root, since 1 − α² = 1 − e^−2x.
INLINE void scan_backward_rows(const ck_scan *a, const ck_scan_gradients *d, ptrdiff_t begin, ptrdiff_t end,
                               const float *output_gradient, const float *initial, const float *states, float *carry,
                               int timed) {
    ptrdiff_t n = a->channels;
    for (ptrdiff_t t = end - 1; t >= begin; t--) {
        const float *before = t > begin ? states + (t - 1) * n : initial;
        float *gates = d->gates + t * 2 * n;
        FOR_VECTORS(c, m, 0, n) {
            gate_values g = gates_at(a, t, c, m, timed);
            vf dy = load(output_gradient + t * n + c, m), dh = dy, rate = load(a->rate + c, m);
            if (a->output_gate) {
                vf z = load(a->output_gate + t * a->ld_output_gate + c, m), s = sigmoid(z);
                vf read = load(states + t * n + c, m);
                dh = dy * z * s;
                if (timed && a->read_gaps) {
                    vf phi = waited(a, a->read_gaps[t], c, m), factor = fading(a, phi, c, m);
                    store(d->fade + c, load(d->fade + c, m) - dh * factor * read * phi, m);
                    dh *= factor;
                    read *= factor;
                }
                vf dz = dy * read * silu_slope(z, s);
                store(d->output_gate + t * d->ld_output_gate + c, dz, m);
            }
            dh += load(carry + c, m);
            store(carry + c, g.keep * dh, m);
            vf x = load(a->input + t * n + c, m), dbeta = dh * x;
            store(d->input + t * n + c, dh * g.root * g.input, m);
            vf dx = dbeta * g.input * g.alpha * g.alpha / g.root;
            if (before) {
                vf h = load(before + c, m);
                dx -= g.keep * dh * h;
                if (timed) {
                    vf dfade = g.keep * dh * h * waited(a, a->gaps[t], c, m);
                    store(d->fade + c, load(d->fade + c, m) - dfade, m);
                }
            }
            vf drecurrence = dx * rate * g.recurrence * (1.0f - g.recurrence);
            vf dinput = dbeta * g.root * g.input * (1.0f - g.input);
            store(gates + c, drecurrence, m);
            store(gates + n + c, dinput, m);
            store(d->rate + c, load(d->rate + c, m) + dx * g.recurrence, m);
            store(d->gate_bias + c, load(d->gate_bias + c, m) + drecurrence, m);
            store(d->gate_bias + n + c, load(d->gate_bias + n + c, m) + dinput, m);
        }
    }
}

INLINE void scan_backward_summary_rows(const ck_scan *a, ptrdiff_t begin, ptrdiff_t end, const float *output_gradient,
                                       float *product, float *total, int timed) {
    ptrdiff_t n = a->channels;
    FOR_VECTORS(c, m, 0, n) {
        vf p = set1(1), carry = set1(0);
        for (ptrdiff_t t = end - 1; t >= begin; t--) {
            vf dh = load(output_gradient + t * n + c, m), keep = gates_at(a, t, c, m, timed).keep;
            if (a->output_gate) dh *= output_factor(a, t, c, m, timed);
            carry = keep * (dh + carry);
            p *= keep;
        }
        store(product + c, p, m);
        store(total + c, carry, m);
    }
}

static void scan(const ck_scan *a, ptrdiff_t begin, ptrdiff_t end, const float *initial, float *states,
                 float *output) {
    if (a->gaps) scan_rows(a, begin, end, initial, states, output, 1);
    else scan_rows(a, begin, end, initial, states, output, 0);
}

static void scan_summary(const ck_scan *a, ptrdiff_t begin, ptrdiff_t end, float *product, float *total) {
    if (a->gaps) scan_summary_rows(a, begin, end, product, total, 1);
    else scan_summary_rows(a, begin, end, product, total, 0);
}

static void scan_backward(const ck_scan *a, const ck_scan_gradients *d, ptrdiff_t begin, ptrdiff_t end,
                          const float *output_gradient, const float *initial, const float *states, float *carry) {
    if (a->gaps) scan_backward_rows(a, d, begin, end, output_gradient, initial, states, carry, 1);
    else scan_backward_rows(a, d, begin, end, output_gradient, initial, states, carry, 0);
}

static void scan_backward_summary(const ck_scan *a, ptrdiff_t begin, ptrdiff_t end, const float *output_gradient,
                                  float *product, float *total) {
    if (a->gaps) scan_backward_summary_rows(a, begin, end, output_gradient, product, total, 1);
    else scan_backward_summary_rows(a, begin, end, output_gradient, product, total, 0);
}
