// Sixteen floats at a time.
#if defined(__x86_64__)
#include <math.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), \
                             apply_to = function)
#define WIDTH 16
#define FUSED 1
#define TABLE ck_avx512
#define ISA_NAME "avx512"
#include "operations/all.h"
#pragma clang attribute pop
#endif
