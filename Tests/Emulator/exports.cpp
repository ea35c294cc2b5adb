// Nothing of what the program looks up may be missing here: the linker says what is.
#include "driver_state.h"

#define EMULATOR_ADDRESS(name, parameters) name,
extern "C" {
extern const cu_driver recblr_emulator_driver = {CU_DRIVER_FUNCTIONS(EMULATOR_ADDRESS)};
extern const cu_compiler recblr_emulator_compiler = {CU_COMPILER_FUNCTIONS(EMULATOR_ADDRESS)};
extern const cu_products recblr_emulator_products = {CU_PRODUCT_FUNCTIONS(EMULATOR_ADDRESS)};
}
