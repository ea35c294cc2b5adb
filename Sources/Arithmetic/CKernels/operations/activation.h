// dropout(SiLU(input + bias)), forward and backward.

static void activate(ptrdiff_t rows, ptrdiff_t columns, const float *input, ptrdiff_t ld_input, const float *bias,
                     const ck_dropout *d, float *output, ptrdiff_t ld_output) {
    float mask[MASK_COLUMNS];
    for (ptrdiff_t r = 0; r < rows; r++)
        FOR_MASK_BLOCKS(from, last, columns) {
            fill_mask(d, r, from / MASK_COLUMNS, mask);
            FOR_VECTORS(c, m, from, last) {
                vf x = load(input + r * ld_input + c, m);
                if (bias) x += load(bias + c, m);
                store(output + r * ld_output + c, x * sigmoid(x) * load(mask + (c - from), m), m);
            }
        }
}

static void activate_backward(ptrdiff_t rows, ptrdiff_t columns, const float *output_gradient, ptrdiff_t ld_gradient,
                              const float *input, ptrdiff_t ld_input, const float *bias, const ck_dropout *d,
                              float *input_gradient, ptrdiff_t ld_input_gradient, float *bias_gradient) {
    float mask[MASK_COLUMNS];
    for (ptrdiff_t r = 0; r < rows; r++)
        FOR_MASK_BLOCKS(from, last, columns) {
            fill_mask(d, r, from / MASK_COLUMNS, mask);
            FOR_VECTORS(c, m, from, last) {
                vf x = load(input + r * ld_input + c, m);
                if (bias) x += load(bias + c, m);
                vf g = load(output_gradient + r * ld_gradient + c, m) * load(mask + (c - from), m);
                g *= silu_slope(x, sigmoid(x));
                store(input_gradient + r * ld_input_gradient + c, g, m);
                if (bias_gradient) store(bias_gradient + c, load(bias_gradient + c, m) + g, m);
            }
        }
}
