// Four floats at a time: SSE2 on x86-64, NEON on arm64; every processor of either kind has it.
#define WIDTH 4
#if defined(__aarch64__)
#define FUSED 1
#else
#define FUSED 0
#endif
#define TABLE ck_baseline
#define ISA_NAME "baseline"
#include "operations/all.h"
