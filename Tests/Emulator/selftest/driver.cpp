// The driver: streams, graphs, events, memory, and what it refuses.
#include <stdlib.h>

#include <thread>

#include "check.h"

namespace {

// MARK: Streams, graphs, events, memory

void test_laziness() {
    // What the host changes before it waits is what arrives.
    std::vector<float> values(10, 1.0f);
    Array<float> device(10);
    CHECK(cuMemcpyHtoDAsync_v2(device.address, values.data(), 40, stream) == CU_OK);
    values.assign(10, 2.0f);
    CHECK(device.values() == values);
}

void test_graph() {
    void *pinned, *graph, *executable, *event;
    CHECK(cuMemHostAlloc(&pinned, 40, 0) == CU_OK);
    float *values = (float *)pinned;
    Array<float> input(10), output(10);
    long kernels = recblr_emulator_count("kernels"), launches = recblr_emulator_count("graph_launches");
    CHECK(cuStreamBeginCapture_v2(stream, CU_CAPTURE_THREAD_LOCAL) == CU_OK);
    CHECK(cuMemcpyHtoDAsync_v2(input.address, pinned, 40, stream) == CU_OK);
    CHECK(launch("add_one", 1, 32, test_floats{input.pointer(), output.pointer(), 10, 0}) == CU_OK);
    CHECK(cuMemcpyDtoHAsync_v2(pinned, output.address, 40, stream) == CU_OK);
    CHECK(cuStreamEndCapture(stream, &graph) == CU_OK);
    CHECK(cuGraphInstantiateWithFlags(&executable, graph, 0) == CU_OK && cuGraphDestroy(graph) == CU_OK);
    for (int i = 0; i < 10; i++) values[i] = float(i);
    for (int round = 0; round < 3; round++) CHECK(cuGraphLaunch(executable, stream) == CU_OK);
    CHECK(values[9] == 9.0f && recblr_emulator_count("kernels") == kernels);
    CHECK(cuEventCreate(&event, CU_EVENT_WITH_TIME) == CU_OK && cuEventRecord(event, stream) == CU_OK);
    CHECK(cuGraphExecDestroy(executable) == CU_OK);
    CHECK(cuGraphLaunch(executable, stream) == emulator::INVALID_VALUE);
    CHECK(cuEventSynchronize(event) == CU_OK && cuEventDestroy_v2(event) == CU_OK);
    for (int i = 0; i < 10; i++) CHECK(values[i] == float(i + 3));
    CHECK(recblr_emulator_count("kernels") == kernels + 3);
    CHECK(recblr_emulator_count("graph_launches") == launches + 3);
    CHECK(cuMemFreeHost(pinned) == CU_OK);
}

/// A branch that runs where it begins or where it ends; what comes after the end sees all of it.
void test_branches() {
    void *branch, *begin, *end, *graph, *executable;
    CHECK(cuStreamCreate(&branch, CU_STREAM_NOT_BLOCKING) == CU_OK);
    CHECK(cuEventCreate(&begin, 0) == CU_OK && cuEventCreate(&end, 0) == CU_OK);
    for (long order : {0, 1, 2}) {
        recblr_emulator_set("order", order);
        Array<float> a(std::vector<float>(4, 1.0f)), b(4), c(4);
        auto copy = [](Array<float> &from, Array<float> &to, void *stream) {
            return cuMemcpyDtoDAsync_v2(to.address, from.address, 16, stream);
        };
        CHECK(cuStreamBeginCapture_v2(stream, CU_CAPTURE_THREAD_LOCAL) == CU_OK);
        for (int round = 0; round < 2; round++) {
            CHECK(cuEventRecord(begin, stream) == CU_OK && cuStreamWaitEvent(branch, begin, 0) == CU_OK);
            CHECK(copy(a, b, branch) == CU_OK);
            CHECK(cuEventRecord(end, branch) == CU_OK && cuStreamWaitEvent(stream, end, 0) == CU_OK);
            CHECK(copy(b, c, stream) == CU_OK);
        }
        CHECK(cuStreamEndCapture(branch, &graph) == emulator::CAPTURE_UNMATCHED);
        CHECK(cuStreamEndCapture(stream, &graph) == CU_OK);
        CHECK(cuGraphInstantiateWithFlags(&executable, graph, 0) == CU_OK && cuGraphDestroy(graph) == CU_OK);
        CHECK(cuGraphLaunch(executable, stream) == CU_OK && c.values() == std::vector<float>(4, 1.0f));
        CHECK(cuGraphExecDestroy(executable) == CU_OK);
        // A branch that nobody waits for.
        CHECK(cuStreamBeginCapture_v2(stream, CU_CAPTURE_THREAD_LOCAL) == CU_OK);
        CHECK(cuEventRecord(begin, stream) == CU_OK && cuStreamWaitEvent(branch, begin, 0) == CU_OK);
        CHECK(cuEventRecord(end, branch) == CU_OK && copy(a, b, branch) == CU_OK);
        CHECK(cuStreamWaitEvent(stream, end, 0) == CU_OK);
        CHECK(cuStreamEndCapture(stream, &graph) == emulator::CAPTURE_UNJOINED && !graph);
        CHECK(cuStreamSynchronize(branch) == CU_OK);
    }
    // Outside of a capture the one waits for the other.
    Array<float> source(std::vector<float>(4, 3.0f)), target(4);
    CHECK(cuMemcpyDtoDAsync_v2(target.address, source.address, 16, branch) == CU_OK);
    CHECK(cuEventRecord(end, branch) == CU_OK && cuStreamWaitEvent(stream, end, 0) == CU_OK);
    CHECK(target.values() == std::vector<float>(4, 3.0f));
    for (void *event : {begin, end}) CHECK(cuEventDestroy_v2(event) == CU_OK);
    CHECK(cuStreamDestroy_v2(branch) == CU_OK);
}

void test_capture_forbids() {
    void *graph;
    cu_address address;
    CHECK(cuStreamBeginCapture_v2(stream, CU_CAPTURE_THREAD_LOCAL) == CU_OK);
    CHECK(cuStreamSynchronize(stream) == emulator::CAPTURE_UNSUPPORTED);
    CHECK(cuStreamEndCapture(stream, &graph) == emulator::CAPTURE_INVALIDATED && !graph);
    CHECK(cuStreamBeginCapture_v2(stream, CU_CAPTURE_THREAD_LOCAL) == CU_OK);
    CHECK(cuMemAlloc_v2(&address, 4) == emulator::CAPTURE_UNSUPPORTED);
    CHECK(cuStreamEndCapture(stream, &graph) == emulator::CAPTURE_INVALIDATED);
    CHECK(cuStreamSynchronize(stream) == CU_OK);
}

void test_events() {
    void *from = nullptr, *to = nullptr;
    float milliseconds = -1;
    CHECK(cuEventCreate(&from, 0) == CU_OK && cuEventCreate(&to, 0) == CU_OK);
    CHECK(cuEventElapsedTime(&milliseconds, from, to) == emulator::INVALID_HANDLE);
    cu_address memory;
    CHECK(cuMemAlloc_v2(&memory, 64) == CU_OK);
    CHECK(cuMemsetD8Async(memory, 1, 64, stream) == CU_OK && cuEventRecord(from, stream) == CU_OK);
    for (int i = 0; i < 3; i++) CHECK(cuMemsetD8Async(memory, 2, 64, stream) == CU_OK);
    CHECK(cuEventRecord(to, stream) == CU_OK);
    CHECK(cuEventElapsedTime(&milliseconds, from, to) == CU_NOT_READY);
    CHECK(cuEventSynchronize(to) == CU_OK && cuEventElapsedTime(&milliseconds, from, to) == CU_OK);
    CHECK(milliseconds == 0.003f);
    CHECK(cuMemFree_v2(memory) == CU_OK);
    CHECK(cuEventDestroy_v2(from) == CU_OK && cuEventDestroy_v2(from) == emulator::INVALID_HANDLE);
}

void test_memory() {
    cu_address address;
    size_t free_before, free_now, total;
    CHECK(cuMemGetInfo_v2(&free_before, &total) == CU_OK && total == size_t(4) << 30);
    CHECK(cuMemAlloc_v2(&address, total + 1) == CU_OUT_OF_MEMORY);
    CHECK(cuMemAlloc_v2(&address, 0) == emulator::INVALID_VALUE);
    CHECK(cuMemAlloc_v2(&address, 1000) == CU_OK && address % 256 == 0);
    CHECK(cuMemGetInfo_v2(&free_now, &total) == CU_OK && free_now == free_before - 1000);
    CHECK(cuMemsetD8Async(address, 1, 1001, stream) == emulator::INVALID_VALUE);
    CHECK(cuMemcpyHtoDAsync_v2(address, (void *)address, 8, stream) == emulator::INVALID_VALUE);
    CHECK(cuMemFree_v2(address + 4) == emulator::INVALID_VALUE && cuMemFree_v2(address) == CU_OK);
    CHECK(cuMemFree_v2(address) == emulator::INVALID_VALUE);
    Array<unsigned> fresh(3);
    CHECK((fresh.values() == std::vector<unsigned>{~0u, ~0u, ~0u}));
}

void test_contexts_of_threads() {
    int error = CU_OK;
    std::thread([&] { error = cuStreamSynchronize(stream); }).join();
    CHECK(error == emulator::INVALID_CONTEXT);
    // Blocks may run on any thread.
    void *context;
    CHECK(cuDevicePrimaryCtxRetain(&context, 0) == CU_OK);
    Array<float> output(64);
    CHECK(launch("shuffles", 1, 64, test_floats{nullptr, output.pointer(), 0, 3}) == CU_OK);
    std::thread([&] { error = cuCtxSetCurrent(context) || cuStreamSynchronize(stream); }).join();
    CHECK(error == CU_OK && output.values() == std::vector<float>(64, 1.0f));
}

// MARK: Refusals and failures

void test_launch_limits() {
    test_floats none = {nullptr, nullptr, 0, 0};
    void *parameters[] = {&none}, *any = nullptr, *barriers = function("barriers");
    CHECK(cuModuleGetFunction(&any, module, "no_such_kernel") == CU_NOT_FOUND);
    CHECK(launch("barriers", 0, 32, none) == emulator::INVALID_VALUE);
    CHECK(launch("barriers", 1, 1025, none) == emulator::INVALID_VALUE);
    CHECK(launch("sum_of_blocks", 1, 257, none) == emulator::INVALID_VALUE);
    CHECK(launch("barriers", 1, 1024, none) == CU_OK);
    CHECK(cuLaunchKernel(barriers, 1, 65536, 1, 1, 1, 1, 0, stream, parameters, nullptr) == emulator::INVALID_VALUE);
    CHECK(launch("barriers", 1, 32, none, (48 << 10) + 1) == emulator::INVALID_VALUE);
    CHECK(launch("barriers", 1, 32, none, 48 << 10) == CU_OK);
    CHECK(cuStreamSynchronize(stream) == CU_OK);
}

void test_failing_launch() {
    test_floats none = {nullptr, nullptr, 0, 0};
    void *other = nullptr;
    recblr_emulator_set("fail_launch_after", 2);
    CHECK(launch("barriers", 1, 32, none) == CU_OK && cuStreamSynchronize(stream) == CU_OK);
    CHECK(launch("barriers", 1, 32, none) == CU_OK);
    CHECK(cuStreamSynchronize(stream) == emulator::ILLEGAL_ADDRESS);
    CHECK(cuStreamCreate(&other, 0) == emulator::ILLEGAL_ADDRESS);
    recblr_emulator_set("fail_launch_after", 0);
    CHECK(launch("barriers", 1, 32, none) == CU_OK && cuStreamSynchronize(stream) == CU_OK);
}

void test_settings() {
    setenv("RECBLR_EMULATOR", "device_count=2,init_error=803", 1);
    CHECK(cuInit(0) == 803);
    setenv("RECBLR_EMULATOR", "init_error=0,memory_bytes=1000", 1);
    CHECK(cuInit(0) == CU_OK);
    int count = 0;
    char name[32];
    void *first = nullptr, *second = nullptr;
    cu_address address, other;
    CHECK(cuDeviceGetCount(&count) == CU_OK && count == 2);
    CHECK(cuDeviceGetName(name, sizeof name, 1) == CU_OK && strcmp(name, "Emulated GPU 1") == 0);
    CHECK(cuDevicePrimaryCtxRetain(&first, 0) == CU_OK && cuDevicePrimaryCtxRetain(&second, 1) == CU_OK);
    CHECK(cuMemAlloc_v2(&address, 600) == CU_OK && cuMemAlloc_v2(&other, 600) == CU_OUT_OF_MEMORY);
    CHECK(cuCtxSetCurrent(second) == CU_OK && cuMemAlloc_v2(&other, 600) == CU_OK);
    CHECK(cuMemFree_v2(other) == CU_OK && cuCtxSetCurrent(first) == CU_OK && cuMemFree_v2(address) == CU_OK);
    setenv("RECBLR_EMULATOR", "device_count=0", 1);
    CHECK(cuInit(0) == CU_NO_DEVICE);
    unsetenv("RECBLR_EMULATOR");
    recblr_emulator_set("device_count", 1);
    recblr_emulator_set("memory_bytes", 4l << 30);
}

void test_compiler() {
    void *program;
    const char *wrong[] = {"--use_fast_math"}, *right[] = {"--gpu-architecture=sm_80"};
    size_t bytes;
    char image[64], log[200];
    CHECK(nvrtcCreateProgram(&program, "#error no good\n", "name", 0, nullptr, nullptr) == 0);
    CHECK(nvrtcCompileProgram(program, 1, wrong) == 5 && nvrtcCompileProgram(program, 1, right) == 6);
    CHECK(nvrtcGetProgramLogSize(program, &bytes) == 0 && bytes < sizeof log);
    CHECK(nvrtcGetProgramLog(program, log) == 0 && strstr(log, "no good"));
    CHECK(nvrtcDestroyProgram(&program) == 0 && nvrtcDestroyProgram(&program) != 0);
    CHECK(nvrtcCreateProgram(&program, "", "name", 0, nullptr, nullptr) == 0);
    CHECK(nvrtcCompileProgram(program, 1, right) == 0 && nvrtcGetCUBIN(program, image) == 0);
    void *loaded;
    CHECK(cuModuleLoadData(&loaded, image) == CU_NO_BINARY_FOR_GPU);
    const char *text[] = {"--gpu-architecture=compute_80"};
    CHECK(nvrtcGetPTX(program, image) != 0);
    CHECK(nvrtcCompileProgram(program, 1, text) == 0 && nvrtcGetCUBINSize(program, &bytes) == 0 && bytes == 0);
    CHECK(nvrtcGetPTXSize(program, &bytes) == 0 && bytes <= sizeof image && nvrtcGetPTX(program, image) == 0);
    CHECK(cuModuleLoadData(&loaded, image) == CU_OK);
    image[0]++;
    CHECK(cuModuleLoadData(&loaded, image) == CU_INVALID_IMAGE);
}

}  // namespace

void test_driver() {
    test_laziness();
    test_graph();
    test_branches();
    test_capture_forbids();
    test_events();
    test_memory();
    test_contexts_of_threads();
    test_launch_limits();
    test_failing_launch();
    test_settings();
    test_compiler();
}
