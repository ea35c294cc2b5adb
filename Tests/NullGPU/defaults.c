// Functions that give nothing back but their success, and are not in null.c.
#include "driver.h"

#define DEFAULT(name, parameters)                                                                                      \
    __attribute__((weak)) int name parameters { return 0; }
CU_DRIVER_FUNCTIONS(DEFAULT)
CU_COMPILER_FUNCTIONS(DEFAULT)
CU_PRODUCT_FUNCTIONS(DEFAULT)
