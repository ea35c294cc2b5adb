#include "CCUDA.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

// The headers and kernels as the compiler on the device's side gets them, end to end.
static const char source[] = {
#embed "include/arguments.h"
    ,
#embed "kernels/_common.cu"
    ,
#embed "kernels/_exchange.cu"
    ,
#embed "kernels/convolution.cu"
    ,
#embed "kernels/elements.cu"
    ,
#embed "kernels/losses.cu"
    ,
#embed "kernels/ranking.cu"
    ,
#embed "kernels/occurrences.cu"
    ,
#embed "kernels/rows.cu"
    ,
#embed "kernels/scan.cu"
    ,
#embed "kernels/scan_backward.cu"
    , 0};

const char *cu_source_text(void) { return source; }
