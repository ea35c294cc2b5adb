// In place of a file of NVIDIA's compiler, which is no part of the wheels that have cublasLt.h: words that mean something to it alone.
#ifndef __HOST_DEFINES_H__
#define __HOST_DEFINES_H__
#define __host__
#define __device__
#define __device_builtin__
#define __forceinline__ inline
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __builtin_align__(bytes) __align__(bytes)
#define CUDARTAPI
#endif
