// Softmax rows, Adam, sums and counts.

// Four vectors at a time where they fit: enough independent work to hide the latency of exp.
static void exp_row(ptrdiff_t n, float *x, float shift, vf *total) {
    vf s0 = set1(0), s1 = set1(0);
    ptrdiff_t c = 0;
    for (; c + 2 * WIDTH <= n; c += 2 * WIDTH) {
        vf a = vexp(load(x + c, WIDTH) - shift), b = vexp(load(x + c + WIDTH, WIDTH) - shift);
        store(x + c, a, WIDTH);
        store(x + c + WIDTH, b, WIDTH);
        s0 += a;
        s1 += b;
    }
    *total = s0 + s1;
    FOR_VECTORS(i, m, c, n) {
        vf e = vexp(load(x + i, m) - shift);
        store(x + i, e, m);
        vf inside = set1(0);  // elements past the end of the row do not count
        memcpy(&inside, &e, (size_t)m * sizeof(float));
        *total += inside;
    }
}

static float row_max(ptrdiff_t n, const float *x) {
    if (n < WIDTH) {
        float s = x[0];
        for (ptrdiff_t c = 1; c < n; c++) s = x[c] > s ? x[c] : s;
        return s;
    }
    vf s = load(x, WIDTH);
    for (ptrdiff_t c = WIDTH; c + WIDTH <= n; c += WIDTH) s = vmax(s, load(x + c, WIDTH));
    return largest(vmax(s, load(x + n - WIDTH, WIDTH)));  // the last vector overlaps the one before
}

static void softmax_rows(ptrdiff_t rows, ptrdiff_t columns, float *x, ptrdiff_t ld, float *max, float *total) {
    for (ptrdiff_t r = 0; r < rows; r++) {
        vf s;
        max[r] = row_max(columns, x + r * ld);
        exp_row(columns, x + r * ld, max[r], &s);
        total[r] = sum(s);
    }
}

static void exp_rows(ptrdiff_t rows, ptrdiff_t columns, float *x, ptrdiff_t ld, const float *max) {
    vf unused;
    for (ptrdiff_t r = 0; r < rows; r++) exp_row(columns, x + r * ld, max[r], &unused);
}

static void adam(ptrdiff_t count, const ck_adam *a, float *weights, const float *gradient, float *first,
                 float *second) {
    float rate = a->learning_rate / a->correction1, root = 1.0f / sqrtf(a->correction2);
    FOR_VECTORS(i, m, 0, count) {
        vf g = load(gradient + i, m) * a->gradient_scale;
        vf v1 = a->beta1 * load(first + i, m) + (1.0f - a->beta1) * g;
        vf v2 = a->beta2 * load(second + i, m) + (1.0f - a->beta2) * g * g;
        store(first + i, v1, m);
        store(second + i, v2, m);
        store(weights + i, a->decay_factor * load(weights + i, m) - rate * v1 / (vsqrt(v2) * root + a->epsilon), m);
    }
}

static double squared_norm(ptrdiff_t count, const float *x) {
    double total = 0;
    while (count > 0) {  // blocks short enough for single precision, summed in double
        ptrdiff_t n = count < 256 * WIDTH ? count : 256 * WIDTH;
        vf s = set1(0);
        FOR_VECTORS(i, m, 0, n) {
            vf v = load(x + i, m);
            s += v * v;
        }
        for (int i = 0; i < WIDTH; i++) total += (double)s[i];
        x += n;
        count -= n;
    }
    return total;
}

static void add(ptrdiff_t count, const float *source, float *target) {
    FOR_VECTORS(i, m, 0, count) store(target + i, load(target + i, m) + load(source + i, m), m);
}

static void add_scaled(ptrdiff_t count, float factor, const float *source, float *target) {
    FOR_VECTORS(i, m, 0, count) store(target + i, load(target + i, m) + factor * load(source + i, m), m);
}

static float dot(ptrdiff_t count, const float *x, const float *y) {
    vf s0 = set1(0), s1 = set1(0);
    ptrdiff_t c = 0;
    for (; c + 2 * WIDTH <= count; c += 2 * WIDTH) {
        s0 += load(x + c, WIDTH) * load(y + c, WIDTH);
        s1 += load(x + c + WIDTH, WIDTH) * load(y + c + WIDTH, WIDTH);
    }
    FOR_VECTORS(i, m, c, count) s0 += load(x + i, m) * load(y + i, m);
    return sum(s0 + s1);
}

static ptrdiff_t count_at_least(ptrdiff_t count, const float *x, float bound, bool *nan) {
    vi hits = {0}, bad = {0};
    ptrdiff_t c = 0;
    for (; c + WIDTH <= count; c += WIDTH) {
        vf v = load(x + c, WIDTH);
        hits -= (vi)(v >= bound);
        bad |= (vi)(v != v);
    }
    ptrdiff_t total = 0;
    for (int i = 0; i < WIDTH; i++) {
        total += hits[i];
        if (bad[i]) *nan = true;
    }
    for (; c < count; c++) {
        total += x[c] >= bound;
        if (x[c] != x[c]) *nan = true;
    }
    return total;
}
