// LayerNorm(dropout(input + bias) + residual), forward and backward.

// Columns in blocks of 64, one mask each: from ..< last.
#define FOR_MASK_BLOCKS(from, last, n)                                                              \
    for (ptrdiff_t from = 0, last;                                                                  \
         from < (n) && (last = from + MASK_COLUMNS < (n) ? from + MASK_COLUMNS : (n), 1); from = last)

static void norm(const ck_norm *a, float *input, const float *bias, const float *residual, float *rstd, float *output) {
    ptrdiff_t n = a->columns;
    float mask[MASK_COLUMNS];
    for (ptrdiff_t r = 0; r < a->rows; r++) {
        float *x = input + r * n, *y = output + r * n;
        const float *skip = residual ? residual + r * n : NULL;
        vf total = set1(0);
        FOR_MASK_BLOCKS(from, last, n) {
            fill_mask(&a->dropout, r, from / MASK_COLUMNS, mask);
            FOR_VECTORS(c, m, from, last) {
                vf s = load(x + c, m);
                if (bias) s += load(bias + c, m);
                s *= load(mask + (c - from), m);
                if (skip) s += load(skip + c, m);
                store(x + c, s, m);
                total += s;
            }
        }
        float mean = sum(total) / (float)n;
        vf squares = set1(0);
        FOR_VECTORS(c, m, 0, n) {
            vf s = load(x + c, m) - mean;
            if (m < WIDTH) {  // elements past the end of the row are zero, not −mean
                vf whole = s;
                s = set1(0);
                memcpy(&s, &whole, (size_t)m * sizeof(float));
            }
            squares += s * s;
        }
        // A row of equal numbers has a standard deviation of 0: it becomes zeros and passes no gradient.
        float variance = sum(squares) / (float)n, inverse = variance > 0 ? 1.0f / sqrtf(variance + a->epsilon) : 0;
        rstd[r] = inverse;
        FOR_VECTORS(c, m, 0, n) {
            vf s = (load(x + c, m) - mean) * inverse;
            store(x + c, s, m);
            store(y + c, s * load(a->scale + c, m) + load(a->shift + c, m), m);
        }
    }
}

static void norm_backward(const ck_norm *a, const float *output_gradient, const float *normalized,
                          const float *rstd, float *input_gradient, float *residual_gradient,
                          float *bias_gradient, float *scale_gradient, float *shift_gradient) {
    ptrdiff_t n = a->columns;
    float mask[MASK_COLUMNS];
    for (ptrdiff_t r = 0; r < a->rows; r++) {
        const float *dy = output_gradient + r * n, *x = normalized + r * n;
        vf total = set1(0), weighted = set1(0);
        FOR_VECTORS(c, m, 0, n) {
            vf g = load(dy + c, m), xc = load(x + c, m), gs = g * load(a->scale + c, m);
            total += gs;
            weighted += gs * xc;
            store(scale_gradient + c, load(scale_gradient + c, m) + g * xc, m);
            store(shift_gradient + c, load(shift_gradient + c, m) + g, m);
        }
        float mean = sum(total) / (float)n, slope = sum(weighted) / (float)n, inverse = rstd[r];
        FOR_MASK_BLOCKS(from, last, n) {
            fill_mask(&a->dropout, r, from / MASK_COLUMNS, mask);
            FOR_VECTORS(c, m, from, last) {
                vf g = inverse * (load(dy + c, m) * load(a->scale + c, m) - mean - load(x + c, m) * slope);
                vf dropped = g * load(mask + (c - from), m);
                if (residual_gradient) store(residual_gradient + r * n + c, g, m);
                if (bias_gradient) store(bias_gradient + c, load(bias_gradient + c, m) + dropped, m);
                store(input_gradient + r * n + c, dropped, m);
            }
        }
    }
}
