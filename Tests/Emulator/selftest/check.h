// What the tests of the emulator share: checks, arrays of the device, launches by name.
#ifndef SELFTEST_CHECK_H
#define SELFTEST_CHECK_H

#include <stdio.h>
#include <string.h>

#include <vector>

#include "arguments.h"
#include "driver_state.h"
#include "settings.h"

extern int failures;
extern void *module, *stream;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                    \
            failures++;                                                                                                \
        }                                                                                                              \
    } while (0)

/// An array of the device, which it frees.
template <class T> struct Array {
    cu_address address = 0;
    size_t count;
    explicit Array(size_t count) : count(count) { CHECK(cuMemAlloc_v2(&address, count * sizeof(T)) == CU_OK); }
    explicit Array(const std::vector<T> &values) : Array(values.size()) {
        CHECK(cuMemcpyHtoDAsync_v2(address, values.data(), count * sizeof(T), stream) == CU_OK);
        CHECK(cuStreamSynchronize(stream) == CU_OK);
    }
    Array(const Array &) = delete;
    ~Array() { cuMemFree_v2(address); }
    T *pointer() const { return (T *)address; }
    std::vector<T> values() const {
        std::vector<T> all(count);
        CHECK(cuMemcpyDtoHAsync_v2(all.data(), address, count * sizeof(T), stream) == CU_OK);
        CHECK(cuStreamSynchronize(stream) == CU_OK);
        return all;
    }
};

inline void *function(const char *name) {
    void *found = nullptr;
    CHECK(cuModuleGetFunction(&found, module, name) == CU_OK);
    return found;
}

template <class Arguments>
int launch(const char *name, unsigned grid, unsigned block, Arguments arguments, unsigned shared_bytes = 0) {
    void *parameters[] = {&arguments};
    return cuLaunchKernel(function(name), grid, 1, 1, block, 1, 1, shared_bytes, stream, parameters, nullptr);
}

inline std::vector<int> numbers(int count, int factor, int modulus) {
    std::vector<int> all((size_t)count);
    for (int i = 0; i < count; i++) all[(size_t)i] = int(long(i) * factor % modulus);
    return all;
}

void test_kernels();
void test_wrong_kernels();
void test_driver();
void test_products();
void measure_speed();

#endif
