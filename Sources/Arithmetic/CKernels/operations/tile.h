// The most rows of a tile of sums that stays in registers.
#define TILE_ROWS 6

// Does TILE(n) for all rows, r being the first of each tile and n how many it has: a constant, so that its loops are unrolled.
#define FOR_EACH_TILE(r, rows)                          \
    for (ptrdiff_t r = 0; r < (rows); r += TILE_ROWS)   \
        switch ((rows) - r) {                           \
        case 1: TILE(1); break;                         \
        case 2: TILE(2); break;                         \
        case 3: TILE(3); break;                         \
        case 4: TILE(4); break;                         \
        case 5: TILE(5); break;                         \
        default: TILE(TILE_ROWS); break;                \
        }
