// Kernels that are right: barriers, warps, shared memory, atomics, order.
#include <math.h>

#include "check.h"

namespace {

void test_sum() {
    std::vector<float> values(10'000);
    for (size_t i = 0; i < values.size(); i++) values[i] = float(i % 7);
    Array<float> input(values), output(5);
    CHECK(launch("sum_of_blocks", 5, 256, test_floats{input.pointer(), output.pointer(), 10'000, 0}) == CU_OK);
    float sum = 0, expected = 0;
    for (float part : output.values()) sum += part;
    for (float value : values) expected += value;
    CHECK(sum == expected);
}

void test_warp() {
    Array<int> output(256);
    CHECK(launch("warp_answers", 1, 32, test_ints{nullptr, output.pointer(), nullptr, 0}) == CU_OK);
    std::vector<int> all = output.values();
    for (int lane = 0; lane < 32; lane++) {
        const int *answers = &all[size_t(8 * lane)];
        CHECK(answers[0] == 5);
        CHECK(answers[1] == (lane % 8 >= 2 ? lane - 2 : lane));
        CHECK(answers[2] == (lane % 16 < 13 ? lane + 3 : lane));
        CHECK(answers[3] == (lane ^ 7));
        CHECK(unsigned(answers[4]) == 0x49249249u);
        CHECK(answers[5] == 1 && answers[6] == 0);
        CHECK(answers[7] == (lane < 16 ? 15 : 16));
    }
}

void test_early_ends() {
    for (int count : {1, 2, 31, 32, 33, 100, 128}) {
        Array<int> output(2);
        CHECK(launch("early_ends", 3, 128, test_ints{nullptr, output.pointer(), nullptr, count}) == CU_OK);
        CHECK((output.values() == std::vector<int>{1, count / 2}));
    }
}

void test_dynamic_shared() {
    std::vector<int> values = numbers(192, 5, 1000);
    Array<int> input(values), output(192);
    Array<unsigned> before(3);
    test_ints arguments = {input.pointer(), output.pointer(), before.pointer(), 192};
    CHECK(launch("reversed", 3, 64, arguments, 256) == CU_OK);
    std::vector<int> reversed = output.values();
    for (size_t i = 0; i < 192; i++) CHECK(reversed[i] == values[i / 64 * 64 + 63 - i % 64]);
    CHECK((before.values() == std::vector<unsigned>{~0u, ~0u, ~0u}));
}

void test_atomics() {
    std::vector<int> values = numbers(1000, 37, 501);
    Array<int> input(values), output(std::vector<int>(16));
    Array<unsigned> largest(std::vector<unsigned>(1));
    CHECK(launch("counts", 4, 256, test_ints{input.pointer(), output.pointer(), largest.pointer(), 1000}) == CU_OK);
    std::vector<int> expected(16);
    for (int value : values) expected[size_t(value % 16)]++;
    CHECK(output.values() == expected);
    CHECK(largest.values()[0] == 500);
}

/// Whoever has a ticket waits only for those that had one before, in whatever order blocks run.
void test_chain() {
    std::vector<int> values = numbers(2000, 7, 23), expected;
    int sum = 0;
    for (int value : values) expected.push_back(sum += value);
    for (long order : {0, 1}) {
        recblr_emulator_set("order", order);
        Array<int> input(values), output(2000);
        Array<unsigned> state(std::vector<unsigned>(9));
        test_ints arguments = {input.pointer(), output.pointer(), state.pointer(), 2000};
        CHECK(launch("chained_sums", 8, 256, arguments) == CU_OK);
        CHECK(output.values() == expected);
    }
    recblr_emulator_set("order", 2);
}

void test_waiting() {
    Array<int> output(std::vector<int>(2));
    CHECK(launch("waits_for_memory", 1, 64, test_ints{nullptr, output.pointer(), nullptr, 0}) == CU_OK);
    CHECK(output.values()[1] == 1);
}

void test_geometry() {
    Array<int> output(2 * 3 * 4 * 30);
    test_ints arguments = {nullptr, output.pointer(), nullptr, 0};
    void *parameters[] = {&arguments};
    CHECK(cuLaunchKernel(function("numbers_of_threads"), 2, 3, 4, 5, 3, 2, 0, stream, parameters, nullptr) == CU_OK);
    std::vector<int> all = output.values();
    for (int i = 0; i < 720; i++) CHECK(all[size_t(i)] == 1000 * (i / 30) + i % 30);
}

void test_missing_barrier() {
    for (long order : {0, 1}) {
        recblr_emulator_set("order", order);
        Array<int> output(64);
        CHECK(launch("missing_barrier", 1, 64, test_ints{nullptr, output.pointer(), nullptr, 0}) == CU_OK);
        int wrong = 0;
        std::vector<int> all = output.values();
        for (int i = 0; i < 64; i++) wrong += all[size_t(i)] != (i + 1) % 64;
        CHECK(wrong == (order == 0 ? 63 : 1));
    }
    recblr_emulator_set("order", 2);
}

/// Units in the last place between two floats of one sign.
int units(float x, float y) {
    int a, b;
    memcpy(&a, &x, 4), memcpy(&b, &y, 4);
    return a - b;
}

/// As many units in the last place as NVIDIA documents, and none where the result is exact.
void test_approximations() {
    const std::vector<float> values = {3, 7, 33, 0.1f, 100, 2};
    std::vector<std::vector<float>> results;
    for (long direction : {0, 1, 2, 3}) {
        recblr_emulator_set("approximation", direction);
        Array<float> input(values), output(36);
        CHECK(launch("approximations", 1, 32, test_floats{input.pointer(), output.pointer(), 6, 0}) == CU_OK);
        results.push_back(output.values());
    }
    recblr_emulator_set("approximation", 0);
    const int most[6] = {1, 2, 0, 1, 2, 2};
    int away = 0, towards = 0;
    for (size_t i = 0; i < 36; i++) {
        float x = values[i / 6];
        bool exact = (i % 6 == 5 && x == floorf(x)) || (i % 6 < 3 && x == 2);
        int error = exact ? 0 : most[i % 6], either = units(results[3][i], results[0][i]);
        CHECK(units(results[1][i], results[0][i]) == error && units(results[2][i], results[0][i]) == -error);
        CHECK(either == error || either == -error);
        away += either > 0, towards += either < 0;
        if (i % 6 == 2) CHECK(results[1][i] == 5.0f / x);
    }
    CHECK(away > 4 && towards > 4);
}

}  // namespace

void test_kernels() {
    test_approximations();
    test_sum();
    test_warp();
    test_early_ends();
    test_dynamic_shared();
    test_atomics();
    test_chain();
    test_waiting();
    test_geometry();
    test_missing_barrier();
}
