#include "CKernels.h"
typedef int ckernels_placeholder;
