// Four floats at a time: SSE2 on x86-64, NEON on arm64; every processor of either kind has it.
#define WIDTH 4
#define TABLE ck_baseline
#define ISA_NAME "baseline"
#include "operations/all.h"
