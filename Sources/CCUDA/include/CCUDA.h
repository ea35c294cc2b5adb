#ifndef CCUDA_H
#define CCUDA_H

#include "arguments.h"
#include "driver.h"

/// CUDA C++ source of all kernels, with a zero at the end.
extern const char cu_source[];

#endif
