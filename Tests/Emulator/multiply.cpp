// Factors are copied into strips that lie in the order of use (Goto & van de Geijn, 2008), rounded on the way; a tile
// of the result is summed in float over 256 products at a time, and in double beyond that.
#include "multiply.h"

#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <vector>

namespace emulator {
namespace {

typedef float vector __attribute__((vector_size(32)));
constexpr size_t tile_rows = 16, tile_columns = 6, tile_depth = 256, panel_rows = 128;

/// To the nearest number with so many bits of mantissa, to even in the middle; infinities and NaN stay.
float rounded(float x, int mantissa_bits) {
    if (mantissa_bits >= 23) return x;
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7F800000) == 0x7F800000) return x;
    uint32_t dropped = uint32_t(23 - mantissa_bits), last = bits >> dropped & 1;
    bits += (1u << (dropped - 1)) - 1 + last;
    bits &= ~0u << dropped;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/// Rows first ..< first + count of a factor, from depth k on, in strips of `width` rows; missing rows are 0. Rows of
/// b are its columns: b is given with `transposed` turned round.
void pack(const Factor &f, size_t first, size_t count, size_t k, size_t depth, size_t width, int bits, float *out) {
    for (size_t strip = 0; strip < count; strip += width)
        for (size_t p = 0; p < depth; p++)
            for (size_t r = 0; r < width; r++) {
                size_t i = first + strip + r, j = k + p;
                bool there = strip + r < count;
                *out++ = there ? rounded(f.base[f.transposed ? j + i * f.stride : i + j * f.stride], bits) : 0.0f;
            }
}

/// sums[6][16] += a strip of a by a strip of b.
void multiply_strips(const float *a, const float *b, size_t depth, double *sums) {
    vector low[tile_columns] = {}, high[tile_columns] = {};
    for (size_t p = 0; p < depth; p++, a += tile_rows, b += tile_columns) {
        vector a0, a1;
        memcpy(&a0, a, sizeof a0);
        memcpy(&a1, a + 8, sizeof a1);
        for (size_t j = 0; j < tile_columns; j++) {
            low[j] += a0 * b[j];
            high[j] += a1 * b[j];
        }
    }
    for (size_t j = 0; j < tile_columns; j++)
        for (size_t i = 0; i < 8; i++) {
            sums[j * tile_rows + i] += double(low[j][i]);
            sums[j * tile_rows + 8 + i] += double(high[j][i]);
        }
}

size_t strips(size_t count, size_t width) { return (count + width - 1) / width; }

/// One tile of the result from all its sums.
void store(const Multiplication &m, size_t row, size_t column, const double *sums) {
    size_t rows = std::min(tile_rows, m.rows - row), columns = std::min(tile_columns, m.columns - column);
    for (size_t j = 0; j < columns; j++, sums += tile_rows) {
        float values[tile_rows], *d = m.d + row + (column + j) * m.d_stride;
        for (size_t i = 0; i < tile_rows; i++) values[i] = float(double(m.alpha) * sums[i]);
        if (m.c) {
            const float *c = m.c + row + (column + j) * m.c_stride;
            for (size_t i = 0; i < rows; i++) values[i] += m.beta * c[i];
        }
        memcpy(d, values, rows * sizeof(float));
    }
}

}  // namespace

void multiply(const Multiplication &m) {
    size_t column_strips = strips(m.columns, tile_columns), b_depth = column_strips * tile_columns;
    Factor b = {m.b.base, m.b.stride, !m.b.transposed};
    // All of b is packed once, each 256 of its depth behind the other; a in panels of few rows.
    std::vector<float> b_packed(b_depth * m.depth), a_packed(panel_rows * m.depth);
    for (size_t k = 0; k < m.depth; k += tile_depth)
        pack(b, 0, m.columns, k, std::min(tile_depth, m.depth - k), tile_columns, m.mantissa_bits,
             &b_packed[k * b_depth]);
    for (size_t panel = 0; panel < m.rows; panel += panel_rows) {
        size_t rows = std::min(panel_rows, m.rows - panel), a_depth = strips(rows, tile_rows) * tile_rows;
        for (size_t k = 0; k < m.depth; k += tile_depth)
            pack(m.a, panel, rows, k, std::min(tile_depth, m.depth - k), tile_rows, m.mantissa_bits,
                 &a_packed[k * a_depth]);
        for (size_t column = 0; column < m.columns; column += tile_columns)
            for (size_t row = 0; row < rows; row += tile_rows) {
                double sums[tile_columns * tile_rows] = {};
                for (size_t k = 0; k < m.depth; k += tile_depth) {
                    size_t depth = std::min(tile_depth, m.depth - k);
                    multiply_strips(&a_packed[k * a_depth + row * depth], &b_packed[k * b_depth + column * depth],
                                    depth, sums);
                }
                store(m, panel + row, column, sums);
            }
    }
}

}  // namespace emulator
