// How quick the emulator is: what its users wait for.
#include <chrono>

#include "check.h"

namespace {

/// Nanoseconds of a launch of `blocks` blocks, the best of five.
double nanoseconds(const char *kernel, unsigned blocks, int times) {
    double best = 1e30;
    for (int round = 0; round < 5; round++) {
        CHECK(launch(kernel, blocks, 256, test_floats{nullptr, nullptr, 0, times}) == CU_OK);
        auto start = std::chrono::steady_clock::now();
        CHECK(cuStreamSynchronize(stream) == CU_OK);
        double time = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
        if (time < best) best = time;
    }
    return best;
}

/// Milliseconds of a product of so many rows, columns and products a number.
double milliseconds(int rows, int columns, int depth) {
    Array<float> a(size_t(rows * depth)), b(size_t(columns * depth)), d(size_t(rows * columns));
    for (cu_address address : {a.address, b.address}) CHECK(cuMemsetD8Async(address, 0, 4, stream) == CU_OK);
    void *library, *product, *a_layout, *b_layout, *d_layout;
    CHECK(cublasLtCreate(&library) == 0 && cublasLtMatmulDescCreate(&product, CU_COMPUTE_FLOAT32, CU_FLOAT32) == 0);
    CHECK(cublasLtMatrixLayoutCreate(&a_layout, CU_FLOAT32, uint64_t(rows), uint64_t(depth), rows) == 0);
    CHECK(cublasLtMatrixLayoutCreate(&b_layout, CU_FLOAT32, uint64_t(depth), uint64_t(columns), depth) == 0);
    CHECK(cublasLtMatrixLayoutCreate(&d_layout, CU_FLOAT32, uint64_t(rows), uint64_t(columns), rows) == 0);
    double best = 1e30;
    for (int round = 0; round < 5; round++) {
        float one = 1, zero = 0;
        CHECK(cublasLtMatmul(library, product, &one, a.pointer(), a_layout, b.pointer(), b_layout, &zero, nullptr,
                             d_layout, d.pointer(), d_layout, nullptr, nullptr, 0, stream) == 0);
        auto start = std::chrono::steady_clock::now();
        CHECK(cuStreamSynchronize(stream) == CU_OK);
        double time = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
        if (time < best) best = time;
    }
    return best;
}

}  // namespace

void measure_speed() {
    const int blocks = 1000, times = 100;
    double empty = nanoseconds("barriers", blocks, 0) / blocks;
    printf("a block of 256 threads            %8.0f ns\n", empty);
    printf("the same with 10 barriers         %8.0f ns\n", nanoseconds("barriers", blocks, 10) / blocks);
    printf("a thread at a barrier             %8.1f ns\n",
           (nanoseconds("barriers", blocks, times) / blocks - empty) / (256 * times));
    printf("a lane in a shuffle               %8.1f ns\n",
           (nanoseconds("shuffles", blocks, times) / blocks - empty) / (256 * times));
    printf("product 4096 x 256 x 64           %8.2f ms\n", milliseconds(4096, 256, 64));
    printf("product 64 x 256 x 4096           %8.2f ms\n", milliseconds(64, 256, 4096));
}
