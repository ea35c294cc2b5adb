// A GPU that computes nothing: NVIDIA's driver, compiler and cuBLASLt in one library, for tests of what the host does. The device's memory
// is addresses that nobody may touch: a host that reads or writes there ends with a signal. Calls whose addresses are not where they
// should be, on the device or off it, fail. What is read from the device is zero.
#define _DEFAULT_SOURCE
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "driver.h"

enum { INVALID_VALUE = 1, MOST_BYTES_BITS = 36 };
static char *memory;
static atomic_size_t used;
static char object; // what every handle points to

static int on_device(cu_address address, size_t bytes) {
    cu_address start = (cu_address)memory;
    return address >= start && address + bytes <= start + used;
}
static int on_host(const void *address) { return address && !on_device((cu_address)address, 0); }
static int expect(int condition) { return condition ? CU_OK : INVALID_VALUE; }
static int make(void **handle) {
    *handle = &object;
    return CU_OK;
}

// MARK: The driver

int cuInit(unsigned flags) {
    if (memory) return CU_OK;
    void *reserved = mmap(0, 1ul << MOST_BYTES_BITS, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED || flags) return CU_OUT_OF_MEMORY;
    memory = reserved;
    return CU_OK;
}
int cuDriverGetVersion(int *version) {
    *version = 12090;
    return CU_OK;
}
int cuGetErrorName(int error, const char **text) {
    *text = error == INVALID_VALUE ? "an address is not where it should be" : "out of memory";
    return CU_OK;
}
int cuGetErrorString(int error, const char **text) { return cuGetErrorName(error, text); }
int cuDeviceGetCount(int *count) {
    *count = 1;
    return CU_OK;
}
int cuDeviceGet(int *device, int ordinal) {
    *device = ordinal;
    return CU_OK;
}
int cuDeviceGetName(char *name, int size, int device) {
    strncpy(name, "Null GPU", (size_t)size);
    return CU_OK;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == CU_COMPUTE_MAJOR ? 9 : 0;
    return CU_OK;
}
int cuDeviceTotalMem_v2(size_t *bytes, int device) {
    *bytes = 1ul << MOST_BYTES_BITS;
    return CU_OK;
}
int cuMemGetInfo_v2(size_t *free, size_t *total) {
    *free = *total = 1ul << MOST_BYTES_BITS;
    return CU_OK;
}
int cuDevicePrimaryCtxRetain(void **context, int device) { return make(context); }

int cuMemAlloc_v2(cu_address *address, size_t bytes) {
    size_t size = (bytes + 511) / 512 * 512;
    size_t start = atomic_fetch_add(&used, size);
    if (start + size > 1ul << MOST_BYTES_BITS) return CU_OUT_OF_MEMORY;
    *address = (cu_address)(memory + start);
    return CU_OK;
}
int cuMemFree_v2(cu_address address) { return expect(on_device(address, 0)); }
int cuMemHostAlloc(void **allocated, size_t bytes, unsigned flags) {
    *allocated = calloc(1, bytes);
    return *allocated ? CU_OK : CU_OUT_OF_MEMORY;
}
int cuMemFreeHost(void *allocated) {
    if (!on_host(allocated)) return INVALID_VALUE;
    free(allocated);
    return CU_OK;
}

int cuMemcpyHtoDAsync_v2(cu_address target, const void *source, size_t bytes, void *stream) {
    return expect(on_device(target, bytes) && on_host(source));
}
int cuMemcpyDtoHAsync_v2(void *target, cu_address source, size_t bytes, void *stream) {
    if (!on_host(target) || !on_device(source, bytes)) return INVALID_VALUE;
    memset(target, 0, bytes);
    return CU_OK;
}
int cuMemcpyDtoDAsync_v2(cu_address target, cu_address source, size_t bytes, void *stream) {
    return expect(on_device(target, bytes) && on_device(source, bytes));
}
int cuMemsetD8Async(cu_address target, unsigned char value, size_t bytes, void *stream) {
    return expect(on_device(target, bytes));
}

int cuStreamCreate(void **stream, unsigned flags) { return make(stream); }
int cuStreamEndCapture(void *stream, void **graph) { return make(graph); }
int cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long flags) { return make(executable); }
int cuEventCreate(void **event, unsigned flags) { return make(event); }
int cuEventElapsedTime(float *milliseconds, void *from, void *to) {
    *milliseconds = 1;
    return CU_OK;
}
int cuModuleLoadData(void **module, const void *image) { return make(module); }
int cuModuleGetFunction(void **function, void *module, const char *name) { return make(function); }
int cuLaunchKernel(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
                   unsigned block_z, unsigned shared_bytes, void *stream, void **parameters, void **extra) {
    unsigned threads = block_x * block_y * block_z;
    return expect(grid_x && grid_y && grid_z && threads && threads <= 1024 && on_host(parameters[0]));
}

// MARK: The compiler

int nvrtcVersion(int *major, int *minor) {
    *major = 12;
    *minor = 9;
    return 0;
}
int nvrtcGetNumSupportedArchs(int *count) {
    *count = 1;
    return 0;
}
int nvrtcGetSupportedArchs(int *architectures) {
    *architectures = 90;
    return 0;
}
int nvrtcCreateProgram(void **program, const char *source, const char *name, int header_count, const char *const *headers,
                       const char *const *header_names) {
    return make(program);
}
int nvrtcGetProgramLogSize(void *program, size_t *bytes) {
    *bytes = 1;
    return 0;
}
int nvrtcGetProgramLog(void *program, char *text) {
    *text = 0;
    return 0;
}
int nvrtcGetCUBINSize(void *program, size_t *bytes) {
    *bytes = 1;
    return 0;
}
int nvrtcGetCUBIN(void *program, char *image) {
    *image = 0;
    return 0;
}

// MARK: cuBLASLt

int cublasLtCreate(void **handle) { return make(handle); }
int cublasLtMatmulDescCreate(void **product, int compute_type, int scale_type) { return make(product); }
int cublasLtMatrixLayoutCreate(void **layout, int type, uint64_t rows, uint64_t columns, int64_t stride) {
    return make(layout);
}
int cublasLtMatmulPreferenceCreate(void **preference) { return make(preference); }
int cublasLtMatmulAlgoGetHeuristic(void *handle, void *product, void *a, void *b, void *c, void *d, void *preference,
                                   int wanted, cu_heuristic *results, int *found) {
    *results = (cu_heuristic){0};
    *found = 1;
    return 0;
}
int cublasLtMatmul(void *handle, void *product, const void *alpha, const void *a, void *a_layout, const void *b,
                   void *b_layout, const void *beta, const void *c, void *c_layout, void *d, void *d_layout,
                   const cu_algorithm *algorithm, void *workspace, size_t workspace_bytes, void *stream) {
    int device = on_device((cu_address)a, 4) && on_device((cu_address)b, 4) && on_device((cu_address)c, 4) &&
                 on_device((cu_address)d, 4) && on_device((cu_address)workspace, workspace_bytes);
    return expect(device && on_host(alpha) && on_host(beta) && on_host(algorithm));
}
