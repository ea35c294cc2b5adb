// SiLU(causal depthwise convolution), restarting at each sequence; forward and backward.

// The rows that the taps of row t read; those before the sequence are in its window, or missing: returns the first
// tap whose row exists.
INLINE ptrdiff_t tap_rows(const ck_convolution *a, ptrdiff_t s, ptrdiff_t t, const float **rows) {
    ptrdiff_t begin = a->starts[s], first = 0;
    for (ptrdiff_t k = 0; k < a->taps; k++) {
        ptrdiff_t source = t - (a->taps - 1) + k;
        if (source >= begin) rows[k] = a->input + source * a->ld_input;
        else if (a->window) rows[k] = a->window + (s * (a->taps - 1) + source - begin + a->taps - 1) * a->channels;
        else first = k + 1;
    }
    return first;
}

INLINE vf pre_activation(const ck_convolution *a, const float *const *rows, ptrdiff_t first, ptrdiff_t taps,
                         ptrdiff_t c, ptrdiff_t m) {
    vf x = load(a->bias + c, m);
    for (ptrdiff_t k = first; k < taps; k++)
        x = multiply_add(load(a->weight + k * a->channels + c, m), load(rows[k] + c, m), x);
    return x;
}

static void convolve(const ck_convolution *a, float *output) {
    const float *rows[CK_MAX_TAPS];
    for (ptrdiff_t s = 0; s < a->sequences; s++)
        for (ptrdiff_t t = a->starts[s]; t < a->starts[s + 1]; t++) {
            ptrdiff_t first = tap_rows(a, s, t, rows);
            FOR_VECTORS(c, m, 0, a->channels) {
                vf x = first == 0 && a->taps == 4 ? pre_activation(a, rows, 0, 4, c, m)  // the usual case, unrolled
                                                  : pre_activation(a, rows, first, a->taps, c, m);
                store(output + t * a->channels + c, x * sigmoid(x), m);
            }
        }
}

// Scatters row t's gradient to the inputs of its taps, except those in the window. The gradient of row t itself gets its
// first term here, so it is written; those of earlier rows are added to.
static void convolve_backward(const ck_convolution *a, const float *output_gradient, float *input_gradient,
                              ptrdiff_t ld_input_gradient, float *weight_gradient, float *bias_gradient) {
    const float *rows[CK_MAX_TAPS];
    ptrdiff_t last = a->taps - 1, width = a->channels;
    for (ptrdiff_t s = 0; s < a->sequences; s++)
        for (ptrdiff_t t = a->starts[s]; t < a->starts[s + 1]; t++) {
            ptrdiff_t first = tap_rows(a, s, t, rows), inside = last - (t - a->starts[s]);
            float *dx = input_gradient + t * ld_input_gradient;
            FOR_VECTORS(c, m, 0, width) {
                vf x = pre_activation(a, rows, first, a->taps, c, m);
                vf g = load(output_gradient + t * width + c, m) * silu_slope(x, sigmoid(x));
                store(bias_gradient + c, load(bias_gradient + c, m) + g, m);
                for (ptrdiff_t k = inside > 0 ? inside : 0; k <= last; k++) {
                    float *dw = weight_gradient + k * width + c, *target = dx - (last - k) * ld_input_gradient + c;
                    store(dw, load(dw, m) + g * load(rows[k] + c, m), m);
                    vf term = g * load(a->weight + k * width + c, m);
                    store(target, k == last ? term : load(target, m) + term, m);
                }
            }
        }
}

// The part that `convolve_backward` leaves out: gradients of the first rows through the taps that read the window. Adds to both.
static void convolve_backward_window(const ck_convolution *a, const float *output_gradient, float *weight_gradient,
                                     float *window_gradient) {
    const float *rows[CK_MAX_TAPS];
    ptrdiff_t last = a->taps - 1, width = a->channels;
    for (ptrdiff_t s = 0; s < a->sequences; s++)
        for (ptrdiff_t t = a->starts[s]; t < a->starts[s + 1] && t < a->starts[s] + last; t++) {
            ptrdiff_t inside = last - (t - a->starts[s]);  // tap k < inside reads slot last − inside + k of the window
            tap_rows(a, s, t, rows);
            float *dx = window_gradient + (s * last + last - inside) * width;
            FOR_VECTORS(c, m, 0, width) {
                vf x = pre_activation(a, rows, 0, a->taps, c, m);
                vf g = load(output_gradient + t * width + c, m) * silu_slope(x, sigmoid(x));
                for (ptrdiff_t k = 0; k < inside; k++) {
                    float *dw = weight_gradient + k * width + c, *target = dx + k * width + c;
                    store(dw, load(dw, m) + g * load(rows[k] + c, m), m);
                    store(target, load(target, m) + g * load(a->weight + k * width + c, m), m);
                }
            }
        }
}
