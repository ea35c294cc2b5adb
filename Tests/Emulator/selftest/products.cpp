// Matrix products against the obvious loops, and what cuBLASLt refuses.
#include <math.h>

#include "check.h"

namespace {

struct Shape {
    int rows, columns, depth;
    bool transpose_a, transpose_b;
};

struct Matrix {
    int rows, columns, stride;
    std::vector<float> values;

    Matrix(int rows, int columns, int spare, int seed) : rows(rows), columns(columns), stride(rows + spare) {
        for (int i = 0; i < stride * columns; i++) values.push_back(float((i * 7919L + seed) % 2003) / 1001.0f - 1.0f);
    }
    float at(int i, int j, bool transposed) const {
        return transposed ? values[size_t(j + i * stride)] : values[size_t(i + j * stride)];
    }
};

void *library() {
    static void *handle = nullptr;
    if (!handle) CHECK(cublasLtCreate(&handle) == 0);
    return handle;
}

/// The four descriptions of a product and its way of computing.
struct Description {
    void *product = nullptr, *a = nullptr, *b = nullptr, *d = nullptr, *preference = nullptr;

    Description(Shape s, const Matrix &a_matrix, const Matrix &b_matrix, const Matrix &d_matrix, int compute_type) {
        int32_t transpose_a = s.transpose_a, transpose_b = s.transpose_b;
        CHECK(cublasLtMatmulDescCreate(&product, compute_type, CU_FLOAT32) == 0);
        CHECK(cublasLtMatmulDescSetAttribute(product, CU_PRODUCT_TRANSPOSE_A, &transpose_a, 4) == 0);
        CHECK(cublasLtMatmulDescSetAttribute(product, CU_PRODUCT_TRANSPOSE_B, &transpose_b, 4) == 0);
        a = layout(a_matrix), b = layout(b_matrix), d = layout(d_matrix);
        CHECK(cublasLtMatmulPreferenceCreate(&preference) == 0);
        uint32_t reductions = CU_REDUCE_FROM_WORKSPACE;
        CHECK(cublasLtMatmulPreferenceSetAttribute(preference, CU_PREFER_REDUCTIONS, &reductions, 4) == 0);
        prefer(256);
    }
    Description(const Description &) = delete;
    ~Description() {
        CHECK(cublasLtMatmulDescDestroy(product) == 0 && cublasLtMatmulPreferenceDestroy(preference) == 0);
        for (void *each : {a, b, d}) CHECK(cublasLtMatrixLayoutDestroy(each) == 0);
    }
    static void *layout(const Matrix &m) {
        void *made = nullptr;
        CHECK(cublasLtMatrixLayoutCreate(&made, CU_FLOAT32, uint64_t(m.rows), uint64_t(m.columns), m.stride) == 0);
        return made;
    }
    void prefer(uint32_t alignment) {
        for (int which = CU_PREFER_ALIGNMENT_A; which <= CU_PREFER_ALIGNMENT_D; which++)
            CHECK(cublasLtMatmulPreferenceSetAttribute(preference, which, &alignment, 4) == 0);
    }
    int choose(cu_heuristic *result, int *found) {
        return cublasLtMatmulAlgoGetHeuristic(library(), product, a, b, d, d, preference, 1, result, found);
    }
};

/// Largest error against sums in double, and against those of factors that are not rounded.
float error_of(Shape s, int compute_type, float alpha, float beta) {
    Matrix a(s.transpose_a ? s.depth : s.rows, s.transpose_a ? s.rows : s.depth, 3, 1);
    Matrix b(s.transpose_b ? s.columns : s.depth, s.transpose_b ? s.depth : s.columns, 0, 2);
    Matrix d(s.rows, s.columns, 2, 3);
    Description description(s, a, b, d, compute_type);
    cu_heuristic choice;
    int found = 0;
    CHECK(description.choose(&choice, &found) == 0 && found == 1 && choice.workspace_bytes == 0);
    Array<float> a_array(a.values), b_array(b.values), d_array(d.values);
    float told_alpha = alpha, told_beta = beta;
    CHECK(cublasLtMatmul(library(), description.product, &told_alpha, a_array.pointer(), description.a,
                         b_array.pointer(), description.b, &told_beta, d_array.pointer(), description.d,
                         d_array.pointer(), description.d, &choice.algorithm, nullptr, 0, stream) == 0);
    told_alpha = told_beta = NAN;  // they are read at the call
    std::vector<float> result = d_array.values();
    double worst = 0;
    for (int j = 0; j < s.columns; j++)
        for (int i = 0; i < d.stride; i++) {
            double expected = d.values[size_t(i + j * d.stride)];
            if (i < s.rows) {
                double sum = 0;
                for (int k = 0; k < s.depth; k++)
                    sum += double(a.at(i, k, s.transpose_a)) * double(b.at(k, j, s.transpose_b));
                expected = alpha * sum + (beta != 0 ? beta * expected : 0);
            }
            worst = fmax(worst, fabs(result[size_t(i + j * d.stride)] - expected));
        }
    return float(worst);
}

void test_results() {
    for (int transposes = 0; transposes < 4; transposes++)
        for (int size : {1, 5, 6, 16, 17, 130}) {
            Shape s = {size, 2 * size + 1, 3 * size, (transposes & 1) != 0, (transposes & 2) != 0};
            CHECK(error_of(s, CU_COMPUTE_FLOAT32, 1, 0) < 1e-4f);
            CHECK(error_of(s, CU_COMPUTE_FLOAT32, -0.5f, 2) < 1e-4f);
        }
    CHECK(error_of({20, 20, 1000, false, false}, CU_COMPUTE_FLOAT32, 1, 1) < 1e-3f);
}

void test_rounding() {
    Shape s = {17, 9, 64, true, false};
    float tf32 = error_of(s, CU_COMPUTE_TF32, 1, 0), bfloat16 = error_of(s, CU_COMPUTE_BFLOAT16, 1, 0);
    CHECK(tf32 > 1e-4f && tf32 < 2e-2f);
    CHECK(bfloat16 > 2e-3f && bfloat16 < 1e-1f && bfloat16 > 2 * tf32);
}

void test_refusals() {
    Matrix a(8, 4, 0, 1), b(4, 6, 0, 2), d(8, 6, 0, 3), wrong(8, 5, 0, 4);
    Shape s = {8, 6, 4, false, false};
    cu_heuristic choice;
    int found = 1;
    Description right(s, a, b, d, CU_COMPUTE_FLOAT32), other(s, a, b, wrong, CU_COMPUTE_FLOAT32);
    CHECK(other.choose(&choice, &found) == 7);
    right.prefer(2);
    CHECK(right.choose(&choice, &found) == 15 && found == 0);
    uint32_t alignment = 3;
    CHECK(cublasLtMatmulPreferenceSetAttribute(right.preference, CU_PREFER_ALIGNMENT_A, &alignment, 4) == 7);
    void *unsupported;
    CHECK(cublasLtMatmulDescCreate(&unsupported, 99, CU_FLOAT32) == 15);
}

}  // namespace

void test_products() {
    test_results();
    test_rounding();
    test_refusals();
}
