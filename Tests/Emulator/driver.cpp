// libcuda: starting, devices, contexts, the words for errors.
#include <stdio.h>

#include "driver_state.h"
#include "settings.h"

namespace emulator {

std::recursive_mutex lock;
bool initialized = false;
int failure = 0;
Device devices[most_devices];
__thread Device *current_device = nullptr;

int unusable() {
    if (!initialized) return NOT_INITIALIZED;
    if (!current_device) return INVALID_CONTEXT;
    return failure;
}

namespace {

bool is_device(int device) { return device >= 0 && device < settings.device_count && device < most_devices; }

struct ErrorText {
    int error;
    const char *name, *text;
};
const ErrorText errors[] = {
    {CU_OK, "CUDA_SUCCESS", "no error"},
    {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {CU_OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {CU_NO_DEVICE, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {CU_INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {CU_NO_BINARY_FOR_GPU, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"},
    {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {CU_NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {CU_NOT_READY, "CUDA_ERROR_NOT_READY", "device not ready"},
    {ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "system has unsupported display driver / cuda driver combination"},
    {CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"},
    {CAPTURE_INVALIDATED, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
     "operation failed due to a previous error during capture"},
    {CAPTURE_UNMATCHED, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "capture was not initiated in this stream"},
    {CAPTURE_UNJOINED, "CUDA_ERROR_STREAM_CAPTURE_UNJOINED", "capturing stream has unjoined work"},
    {CAPTURE_ISOLATION, "CUDA_ERROR_STREAM_CAPTURE_ISOLATION", "dependency created on uncaptured work in another stream"},
    {CAPTURED_EVENT, "CUDA_ERROR_CAPTURED_EVENT",
     "operation not permitted on an event last recorded in a capturing stream"},
    {CAPTURE_WRONG_THREAD, "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD",
     "attempt to terminate a thread-local capture sequence from another thread"},
    {999, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

const ErrorText *text_of(int error) {
    for (const ErrorText &entry : errors)
        if (entry.error == error) return &entry;
    return nullptr;
}

}  // namespace
}  // namespace emulator

using namespace emulator;

int cuInit(unsigned flags) {
    EMULATOR_LOCKED;
    read_environment();
    if (settings.init_error) return int(settings.init_error);
    if (flags) return INVALID_VALUE;
    if (settings.device_count == 0) return CU_NO_DEVICE;
    for (int i = 0; i < most_devices; i++) devices[i].ordinal = i;
    initialized = true;
    return CU_OK;
}

int cuDriverGetVersion(int *version) {
    EMULATOR_LOCKED;
    *version = int(settings.driver_version);
    return CU_OK;
}

int cuGetErrorName(int error, const char **text) {
    const ErrorText *entry = text_of(error);
    *text = entry ? entry->name : nullptr;
    return entry ? CU_OK : INVALID_VALUE;
}

int cuGetErrorString(int error, const char **text) {
    const ErrorText *entry = text_of(error);
    *text = entry ? entry->text : nullptr;
    return entry ? CU_OK : INVALID_VALUE;
}

int cuDeviceGetCount(int *count) {
    EMULATOR_LOCKED;
    if (!initialized) return NOT_INITIALIZED;
    *count = int(settings.device_count);
    return CU_OK;
}

int cuDeviceGet(int *device, int ordinal) {
    EMULATOR_LOCKED;
    if (!initialized) return NOT_INITIALIZED;
    if (!is_device(ordinal)) return INVALID_DEVICE;
    *device = ordinal;
    return CU_OK;
}

int cuDeviceGetName(char *name, int size, int device) {
    EMULATOR_LOCKED;
    if (!is_device(device)) return INVALID_DEVICE;
    if (size <= 0) return INVALID_VALUE;
    snprintf(name, size_t(size), "Emulated GPU %d", device);
    return CU_OK;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
    EMULATOR_LOCKED;
    if (!is_device(device)) return INVALID_DEVICE;
    switch (attribute) {
        case CU_COMPUTE_MAJOR: *value = int(settings.compute_major); return CU_OK;
        case CU_COMPUTE_MINOR: *value = int(settings.compute_minor); return CU_OK;
        default: return INVALID_VALUE;
    }
}

int cuDeviceTotalMem_v2(size_t *bytes, int device) {
    EMULATOR_LOCKED;
    if (!is_device(device)) return INVALID_DEVICE;
    *bytes = size_t(settings.memory_bytes);
    return CU_OK;
}

int cuDevicePrimaryCtxRetain(void **context, int device) {
    EMULATOR_LOCKED;
    if (!initialized) return NOT_INITIALIZED;
    if (!is_device(device)) return INVALID_DEVICE;
    *context = &devices[device];
    counters.contexts++;
    return CU_OK;
}

/// The emulated devices' contexts last as long as the program.
int cuDevicePrimaryCtxRelease_v2(int device) {
    EMULATOR_LOCKED;
    if (!is_device(device)) return INVALID_DEVICE;
    counters.contexts--;
    return CU_OK;
}

int cuCtxSetCurrent(void *context) {
    EMULATOR_LOCKED;
    if (!initialized) return NOT_INITIALIZED;
    for (Device &device : devices)
        if (context == &device) {
            current_device = &device;
            return CU_OK;
        }
    current_device = nullptr;
    return context ? INVALID_CONTEXT : CU_OK;
}
