// Philox4x32-7 (Salmon et al., SC 2011): 64 columns of one row's mask from 16 counters.

// Upper and lower halves of a · m: processors multiply every other lane to 64 bits, so the odd lanes are multiplied separately.
INLINE vu multiply_high_low(vu a, uint32_t m, vu *low) {
    const uint64_t lower = 0xFFFFFFFFu;
    vu64 even = ((vu64)a & lower) * m, odd = ((vu64)a >> 32) * m;
    *low = (vu)((even & lower) | (odd << 32));
    return (vu)((even >> 32) | (odd & ~lower));
}

enum { MASK_COLUMNS = 64 };

// mask[0 ..< 64] for columns 64·group … of a row; all ones (times keep_scale) where nothing is dropped.
INLINE void fill_mask(const ck_dropout *d, ptrdiff_t row, ptrdiff_t group, float *mask) {
    if (d->threshold == 0) {
        for (int c = 0; c < MASK_COLUMNS; c += WIDTH) store(mask + c, set1(d->keep_scale), WIDTH);
        return;
    }
    for (int lane = 0; lane < 16; lane += WIDTH) {
        vu c0, c1 = (vu){0} + (uint32_t)d->row_numbers[row], c2 = (vu){0} + d->place, c3 = (vu){0} + d->step;
        for (int i = 0; i < WIDTH; i++) c0[i] = (uint32_t)(16 * group + lane + i);
        uint32_t k0 = d->seed_low, k1 = d->seed_high;
        for (int round = 0; round < 7; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
            vu low0, low1;
            vu high0 = multiply_high_low(c0, 0xD2511F53u, &low0);
            vu high1 = multiply_high_low(c2, 0xCD9E8D57u, &low1);
            c0 = high1 ^ c1 ^ k0;
            c1 = low1;
            c2 = high0 ^ c3 ^ k1;
            c3 = low0;
        }
        vu words[4] = {c0, c1, c2, c3};
        for (int w = 0; w < 4; w++) {
            vi keep = (vi)(words[w] >= d->threshold);
            store(mask + 16 * w + lane, (vf)(keep & (vi)set1(d->keep_scale)), WIDTH);
        }
    }
}

static void dropout_mask(const ck_dropout *d, ptrdiff_t rows, ptrdiff_t columns, float *mask) {
    float block[MASK_COLUMNS];
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t c = 0; c < columns; c += MASK_COLUMNS) {
            fill_mask(d, r, c / MASK_COLUMNS, block);
            ptrdiff_t n = columns - c < MASK_COLUMNS ? columns - c : MASK_COLUMNS;
            memcpy(mask + r * columns + c, block, (size_t)n * sizeof(float));
        }
}
