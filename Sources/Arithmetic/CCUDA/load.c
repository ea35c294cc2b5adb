#include <dlfcn.h>

#include "CCUDA.h"

#define LOAD(name, parameters)                                                                                         \
    if (!(*(void **)&table->name = dlsym(library, #name))) return #name;

const char *cu_load_driver(void *library, cu_driver *table) {
    CU_DRIVER_FUNCTIONS(LOAD)
    return 0;
}

const char *cu_load_compiler(void *library, cu_compiler *table) {
    CU_COMPILER_FUNCTIONS(LOAD)
    return 0;
}

const char *cu_load_products(void *library, cu_products *table) {
    CU_PRODUCT_FUNCTIONS(LOAD)
    return 0;
}
