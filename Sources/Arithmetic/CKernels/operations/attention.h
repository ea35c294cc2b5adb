// Softmax of one row of attention scores, forward and backward.

// x ← exp(y − max) with y = scale · x + bias; the max of y and the sum of the new x.
static void attend_row(ptrdiff_t n, float scale, const float *bias, float *x, float *max, float *total) {
    FOR_VECTORS(c, m, 0, n) store(x + c, scale * load(x + c, m) + load(bias + c, m), m);
    softmax_rows(1, n, x, n, max, total);
}

// p ← factor · p, the probabilities. g, their gradient, becomes that of the products: scale · s with
// s = p · (g − Σ p · g), which is added to the bias's gradient. Returns Σ p · g.
static float attend_row_backward(ptrdiff_t n, float scale, float factor, float *p, float *g, float *bias_gradient) {
    vf total = set1(0);
    FOR_VECTORS(c, m, 0, n) {
        vf v = factor * load(p + c, m);
        store(p + c, v, m);
        total += v * load(g + c, m);
    }
    float mean = sum(total);
    FOR_VECTORS(c, m, 0, n) {
        vf s = load(p + c, m) * (load(g + c, m) - mean);
        store(bias_gradient + c, load(bias_gradient + c, m) + s, m);
        store(g + c, scale * s, m);
    }
    return mean;
}
