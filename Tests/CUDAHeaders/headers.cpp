// What driver.h says of NVIDIA's libraries, held against their own headers: compiles where both agree. -DDRIVER, -DCOMPILER and
// -DPRODUCTS choose whose; `HeaderTests` compiles it, and sees to it that no number of driver.h is left out here.
#include "driver.h"

#include <type_traits>

// Functions are looked up by the very names in driver.h, so cuda.h shall not rename them to newer ones.
#define __CUDA_API_VERSION_INTERNAL
#ifdef DRIVER
#include <cuda.h>
#endif
#ifdef COMPILER
#include <nvrtc.h>
#endif
#ifdef PRODUCTS
// Headers that cublasLt.h includes for the names of these types, and that want those of yet another wheel.
#define __CUDA_FP16_H__
#define __CUDA_BF16_H__
struct __half;
struct __nv_bfloat16;
#include <cublasLt.h>
#endif

/// Whether a caller that passes the first as an argument passes what a callee takes for the second.
template <typename Ours, typename Theirs>
constexpr bool same() {
    if constexpr (std::is_pointer_v<Ours> && std::is_pointer_v<Theirs>) {
        using Own = std::remove_pointer_t<Ours>;
        using Other = std::remove_pointer_t<Theirs>;
        if constexpr (std::is_void_v<Own>) {
            // A handle, whose struct nobody sees, or bytes that the callee must leave alone where we say so.
            return std::is_class_v<Other> || (std::is_void_v<Other> && std::is_const_v<Own> == std::is_const_v<Other>);
        } else {
            return std::is_const_v<Own> == std::is_const_v<Other> && same<std::remove_const_t<Own>, std::remove_const_t<Other>>();
        }
    } else if constexpr (std::is_enum_v<Theirs>) {
        return std::is_same_v<Ours, int> && sizeof(Theirs) == sizeof(int);
    } else if constexpr (std::is_integral_v<Ours> && std::is_integral_v<Theirs>) {
        return sizeof(Ours) == sizeof(Theirs) && std::is_signed_v<Ours> == std::is_signed_v<Theirs>;
    } else {
        return std::is_same_v<Ours, Theirs>;
    }
}

template <typename Ours, typename Theirs>
struct Functions : std::false_type {};
template <typename Own, typename... Ours, typename Other, typename... Theirs>
struct Functions<Own (*)(Ours...), Other (*)(Theirs...)> {
    static constexpr bool all() {
        if constexpr (sizeof...(Ours) == sizeof...(Theirs)) return same<Own, Other>() && (same<Ours, Theirs>() && ...);
        return false;
    }
    static constexpr bool value = all();
};

#define OF(table, name) static_assert(Functions<decltype(table::name), decltype(&::name)>::value, #name);
#define NUMBER(ours, theirs) static_assert(int(ours) == int(theirs), #ours);

#ifdef DRIVER
#define OF_DRIVER(name, parameters) OF(cu_driver, name)
CU_DRIVER_FUNCTIONS(OF_DRIVER)
static_assert(same<cu_address, CUdeviceptr>(), "cu_address");
NUMBER(CU_COMPUTE_MAJOR, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
NUMBER(CU_COMPUTE_MINOR, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)
NUMBER(CU_OK, CUDA_SUCCESS)
NUMBER(CU_OUT_OF_MEMORY, CUDA_ERROR_OUT_OF_MEMORY)
NUMBER(CU_NO_DEVICE, CUDA_ERROR_NO_DEVICE)
NUMBER(CU_INVALID_IMAGE, CUDA_ERROR_INVALID_IMAGE)
NUMBER(CU_NO_BINARY_FOR_GPU, CUDA_ERROR_NO_BINARY_FOR_GPU)
NUMBER(CU_NOT_FOUND, CUDA_ERROR_NOT_FOUND)
NUMBER(CU_NOT_READY, CUDA_ERROR_NOT_READY)
NUMBER(CU_STREAM_NOT_BLOCKING, CU_STREAM_NON_BLOCKING)
NUMBER(CU_CAPTURE_THREAD_LOCAL, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)
NUMBER(CU_EVENT_WITH_TIME, CU_EVENT_DEFAULT)
#endif

#ifdef COMPILER
#define OF_COMPILER(name, parameters) OF(cu_compiler, name)
CU_COMPILER_FUNCTIONS(OF_COMPILER)
NUMBER(CU_OK, NVRTC_SUCCESS)
#endif

#ifdef PRODUCTS
template <>
constexpr bool same<cu_algorithm, cublasLtMatmulAlgo_t>() {
    return sizeof(cu_algorithm) == sizeof(cublasLtMatmulAlgo_t) && alignof(cu_algorithm) == alignof(cublasLtMatmulAlgo_t);
}
#define FIELD(ours, theirs)                                                                                            \
    (offsetof(cu_heuristic, ours) == offsetof(cublasLtMatmulHeuristicResult_t, theirs) &&                              \
     sizeof(cu_heuristic::ours) == sizeof(cublasLtMatmulHeuristicResult_t::theirs))
template <>
constexpr bool same<cu_heuristic, cublasLtMatmulHeuristicResult_t>() {
    return sizeof(cu_heuristic) == sizeof(cublasLtMatmulHeuristicResult_t) && FIELD(algorithm, algo) &&
           FIELD(workspace_bytes, workspaceSize) && FIELD(status, state) && FIELD(waves, wavesCount) &&
           FIELD(reserved, reserved);
}
#define OF_PRODUCTS(name, parameters) OF(cu_products, name)
CU_PRODUCT_FUNCTIONS(OF_PRODUCTS)
NUMBER(CU_OK, CUBLAS_STATUS_SUCCESS)
NUMBER(CU_FLOAT32, CUDA_R_32F)
NUMBER(CU_COMPUTE_FLOAT32, CUBLAS_COMPUTE_32F)
NUMBER(CU_COMPUTE_BFLOAT16, CUBLAS_COMPUTE_32F_FAST_16BF)
NUMBER(CU_COMPUTE_TF32, CUBLAS_COMPUTE_32F_FAST_TF32)
NUMBER(CU_AS_IT_IS, CUBLAS_OP_N)
NUMBER(CU_TRANSPOSED, CUBLAS_OP_T)
NUMBER(CU_PRODUCT_TRANSPOSE_A, CUBLASLT_MATMUL_DESC_TRANSA)
NUMBER(CU_PRODUCT_TRANSPOSE_B, CUBLASLT_MATMUL_DESC_TRANSB)
NUMBER(CU_LAYOUT_BATCHES, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT)
NUMBER(CU_LAYOUT_BATCH_STEP, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET)
NUMBER(CU_PREFER_WORKSPACE_BYTES, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES)
NUMBER(CU_PREFER_REDUCTIONS, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK)
NUMBER(CU_PREFER_ALIGNMENT_A, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES)
NUMBER(CU_PREFER_ALIGNMENT_B, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES)
NUMBER(CU_PREFER_ALIGNMENT_C, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES)
NUMBER(CU_PREFER_ALIGNMENT_D, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES)
NUMBER(CU_REDUCE_IN_PLACE, CUBLASLT_REDUCTION_SCHEME_INPLACE)
NUMBER(CU_REDUCE_FROM_WORKSPACE, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE)
#endif
