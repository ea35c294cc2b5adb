// Tests the emulator, as a program that is linked with it: through the driver's functions, like the backend. With
// --speed, says instead how quick it is.
#include "check.h"

int failures = 0;
void *module, *stream;

static void start() {
    void *context, *program;
    CHECK(cuMemFree_v2(0) == emulator::NOT_INITIALIZED);
    CHECK(cuInit(0) == CU_OK);
    CHECK(cuStreamCreate(&stream, 0) == emulator::INVALID_CONTEXT);
    CHECK(cuDevicePrimaryCtxRetain(&context, 0) == CU_OK && cuCtxSetCurrent(context) == CU_OK);
    CHECK(cuStreamCreate(&stream, CU_STREAM_NOT_BLOCKING) == CU_OK);
    char image[64];
    size_t bytes;
    const char *options[] = {"--gpu-architecture=sm_90"};
    CHECK(nvrtcCreateProgram(&program, "source", "name", 0, nullptr, nullptr) == 0);
    CHECK(nvrtcCompileProgram(program, 1, options) == 0);
    CHECK(nvrtcGetCUBINSize(program, &bytes) == 0 && bytes <= sizeof image && nvrtcGetCUBIN(program, image) == 0);
    CHECK(nvrtcDestroyProgram(&program) == 0);
    CHECK(cuModuleLoadData(&module, image) == CU_OK);
}

int main(int count, char **arguments) {
    start();
    if (count > 1 && strcmp(arguments[1], "--speed") == 0) {
        measure_speed();
        return failures != 0;
    }
    test_kernels();
    test_wrong_kernels();
    test_driver();
    test_products();
    if (failures == 0) printf("emulator: all tests pass\n");
    return failures != 0;
}
