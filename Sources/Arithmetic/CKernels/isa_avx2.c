// Eight floats at a time.
#if defined(__x86_64__)
#include <math.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define WIDTH 8
#define FUSED 1
#define TABLE ck_avx2
#define ISA_NAME "avx2"
#include "operations/all.h"
#pragma clang attribute pop
#endif
