// The functions of NVIDIA's driver, run-time compiler and cuBLASLt that are used, as tables that are filled at run time:
// nothing of CUDA is needed to build this package. Names, numbers and layouts are those of CUDA 12's cuda.h, nvrtc.h and
// cublasLt.h; a list is written once and read both by the loader and by the tests' stand-in libraries.
#ifndef CCUDA_DRIVER_H
#define CCUDA_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Address in a device's memory.
typedef uint64_t cu_address;

/// CUdevice_attribute.
enum {
    CU_COMPUTE_MAJOR = 75,
    CU_COMPUTE_MINOR = 76,
};

/// CUresult: the values that are distinguished.
enum {
    CU_OK = 0,
    CU_OUT_OF_MEMORY = 2,
    CU_NO_DEVICE = 100,
    CU_INVALID_IMAGE = 200,
    CU_NO_BINARY_FOR_GPU = 209,
    CU_NOT_FOUND = 500,
    CU_NOT_READY = 600,
};

enum {
    CU_STREAM_NOT_BLOCKING = 1,
    CU_CAPTURE_THREAD_LOCAL = 1,
    CU_EVENT_WITH_TIME = 0,
};

#define CU_DRIVER_FUNCTIONS(X)                                                                                         \
    X(cuInit, (unsigned flags))                                                                                        \
    X(cuDriverGetVersion, (int *version))                                                                              \
    X(cuGetErrorName, (int error, const char **text))                                                                  \
    X(cuGetErrorString, (int error, const char **text))                                                                \
    X(cuDeviceGetCount, (int *count))                                                                                  \
    X(cuDeviceGet, (int *device, int ordinal))                                                                         \
    X(cuDeviceGetName, (char *name, int size, int device))                                                             \
    X(cuDeviceGetAttribute, (int *value, int attribute, int device))                                                   \
    X(cuDeviceTotalMem_v2, (size_t * bytes, int device))                                                               \
    X(cuDevicePrimaryCtxRetain, (void **context, int device))                                                          \
    X(cuDevicePrimaryCtxRelease_v2, (int device))                                                                      \
    X(cuCtxSetCurrent, (void *context))                                                                                \
    X(cuMemGetInfo_v2, (size_t * free, size_t * total))                                                                \
    X(cuMemAlloc_v2, (cu_address * address, size_t bytes))                                                             \
    X(cuMemFree_v2, (cu_address address))                                                                              \
    X(cuMemHostAlloc, (void **memory, size_t bytes, unsigned flags))                                                   \
    X(cuMemFreeHost, (void *memory))                                                                                   \
    X(cuMemcpyHtoDAsync_v2, (cu_address target, const void *source, size_t bytes, void *stream))                       \
    X(cuMemcpyDtoHAsync_v2, (void *target, cu_address source, size_t bytes, void *stream))                             \
    X(cuMemcpyDtoDAsync_v2, (cu_address target, cu_address source, size_t bytes, void *stream))                        \
    X(cuMemsetD8Async, (cu_address target, unsigned char value, size_t bytes, void *stream))                           \
    X(cuStreamCreate, (void **stream, unsigned flags))                                                                 \
    X(cuStreamDestroy_v2, (void *stream))                                                                              \
    X(cuStreamSynchronize, (void *stream))                                                                             \
    X(cuStreamWaitEvent, (void *stream, void *event, unsigned flags))                                                  \
    X(cuStreamBeginCapture_v2, (void *stream, int mode))                                                               \
    X(cuStreamEndCapture, (void *stream, void **graph))                                                                \
    X(cuGraphInstantiateWithFlags, (void **executable, void *graph, unsigned long long flags))                         \
    X(cuGraphLaunch, (void *executable, void *stream))                                                                 \
    X(cuGraphExecDestroy, (void *executable))                                                                          \
    X(cuGraphDestroy, (void *graph))                                                                                   \
    X(cuEventCreate, (void **event, unsigned flags))                                                                   \
    X(cuEventDestroy_v2, (void *event))                                                                                \
    X(cuEventRecord, (void *event, void *stream))                                                                      \
    X(cuEventSynchronize, (void *event))                                                                               \
    X(cuEventElapsedTime, (float *milliseconds, void *from, void *to))                                                 \
    X(cuModuleLoadData, (void **module, const void *image))                                                            \
    X(cuModuleUnload, (void *module))                                                                                  \
    X(cuModuleGetFunction, (void **function, void *module, const char *name))                                          \
    X(cuLaunchKernel,                                                                                                  \
      (void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,          \
       unsigned block_z, unsigned shared_bytes, void *stream, void **parameters, void **extra))

#define CU_COMPILER_FUNCTIONS(X)                                                                                       \
    X(nvrtcVersion, (int *major, int *minor))                                                                          \
    X(nvrtcCreateProgram,                                                                                              \
      (void **program, const char *source, const char *name, int header_count, const char *const *headers,             \
       const char *const *header_names))                                                                               \
    X(nvrtcDestroyProgram, (void **program))                                                                           \
    X(nvrtcCompileProgram, (void *program, int option_count, const char *const *options))                              \
    X(nvrtcGetNumSupportedArchs, (int *count))                                                                         \
    X(nvrtcGetSupportedArchs, (int *architectures))                                                                    \
    X(nvrtcGetCUBINSize, (void *program, size_t *bytes))                                                               \
    X(nvrtcGetCUBIN, (void *program, char *image))                                                                     \
    X(nvrtcGetPTXSize, (void *program, size_t *bytes))                                                                 \
    X(nvrtcGetPTX, (void *program, char *text))                                                                        \
    X(nvrtcGetProgramLogSize, (void *program, size_t *bytes))                                                          \
    X(nvrtcGetProgramLog, (void *program, char *text))

/// cublasLtMatmulAlgo_t and cublasLtMatmulHeuristicResult_t.
typedef struct {
    uint64_t data[8];
} cu_algorithm;

typedef struct {
    cu_algorithm algorithm;
    size_t workspace_bytes;
    int status;
    float waves;
    int reserved[4];
} cu_heuristic;

enum {
    /// cudaDataType_t.
    CU_FLOAT32 = 0,
    /// cublasComputeType_t: float32 as it is; operands rounded to TF32 or bfloat16 on tensor cores.
    CU_COMPUTE_FLOAT32 = 68,
    CU_COMPUTE_BFLOAT16 = 75,
    CU_COMPUTE_TF32 = 77,
    /// cublasOperation_t.
    CU_AS_IT_IS = 0,
    CU_TRANSPOSED = 1,
    /// cublasLtMatmulDescAttributes_t.
    CU_PRODUCT_TRANSPOSE_A = 3,
    CU_PRODUCT_TRANSPOSE_B = 4,
    /// cublasLtMatrixLayoutAttribute_t.
    CU_LAYOUT_BATCHES = 5,
    CU_LAYOUT_BATCH_STEP = 6,
    /// cublasLtMatmulPreferenceAttributes_t.
    CU_PREFER_WORKSPACE_BYTES = 1,
    CU_PREFER_REDUCTIONS = 3,
    CU_PREFER_ALIGNMENT_A = 5,
    CU_PREFER_ALIGNMENT_B = 6,
    CU_PREFER_ALIGNMENT_C = 7,
    CU_PREFER_ALIGNMENT_D = 8,
    /// cublasLtReductionScheme_t, a mask: parts of a sum over the depth are added in place, or from the workspace in float32.
    CU_REDUCE_IN_PLACE = 1,
    CU_REDUCE_FROM_WORKSPACE = 2,
};

#define CU_PRODUCT_FUNCTIONS(X)                                                                                        \
    X(cublasLtCreate, (void **handle))                                                                                 \
    X(cublasLtDestroy, (void *handle))                                                                                 \
    X(cublasLtMatmulDescCreate, (void **product, int compute_type, int scale_type))                                    \
    X(cublasLtMatmulDescDestroy, (void *product))                                                                      \
    X(cublasLtMatmulDescSetAttribute, (void *product, int attribute, const void *value, size_t bytes))                 \
    X(cublasLtMatrixLayoutCreate, (void **layout, int type, uint64_t rows, uint64_t columns, int64_t stride))          \
    X(cublasLtMatrixLayoutSetAttribute, (void *layout, int attribute, const void *value, size_t bytes))                \
    X(cublasLtMatrixLayoutDestroy, (void *layout))                                                                     \
    X(cublasLtMatmulPreferenceCreate, (void **preference))                                                             \
    X(cublasLtMatmulPreferenceDestroy, (void *preference))                                                             \
    X(cublasLtMatmulPreferenceSetAttribute, (void *preference, int attribute, const void *value, size_t bytes))        \
    X(cublasLtMatmulAlgoGetHeuristic,                                                                                  \
      (void *handle, void *product, void *a, void *b, void *c, void *d, void *preference, int wanted,                  \
       cu_heuristic *results, int *found))                                                                             \
    X(cublasLtMatmul,                                                                                                  \
      (void *handle, void *product, const void *alpha, const void *a, void *a_layout, const void *b, void *b_layout,   \
       const void *beta, const void *c, void *c_layout, void *d, void *d_layout, const cu_algorithm *algorithm,        \
       void *workspace, size_t workspace_bytes, void *stream))

/// One pointer for each function; each returns 0 on success.
#define CU_MEMBER(name, parameters) int(*name) parameters;
typedef struct {
    CU_DRIVER_FUNCTIONS(CU_MEMBER)
} cu_driver;
typedef struct {
    CU_COMPILER_FUNCTIONS(CU_MEMBER)
} cu_compiler;
typedef struct {
    CU_PRODUCT_FUNCTIONS(CU_MEMBER)
} cu_products;
#undef CU_MEMBER

/// Fill a table from a library that `dlopen` returned; return the first name that it lacks, NULL where it has all.
const char *cu_load_driver(void *library, cu_driver *table);
const char *cu_load_compiler(void *library, cu_compiler *table);
const char *cu_load_products(void *library, cu_products *table);

#ifdef __cplusplus
}
#endif
#endif
