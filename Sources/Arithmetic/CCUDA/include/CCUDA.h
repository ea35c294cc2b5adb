#ifndef CCUDA_H
#define CCUDA_H

#include "arguments.h"
#include "driver.h"

/// CUDA C++ source of all kernels, with a zero at the end.
const char *cu_source_text(void);

#endif
