// Modules, functions and launches of kernels, with the limits that a real device has.
#include <stdio.h>
#include <string.h>

#include <string>
#include <vector>

#include "driver_state.h"
#include "fibers.h"
#include "image.h"
#include "memory.h"
#include "settings.h"
#include "stream.h"

namespace emulator {
namespace {

struct Function {
    const Kernel *kernel;
};
struct Module {
    std::map<std::string, void *> functions;
};
Handles<Module> modules;
Handles<Function> functions;

/// A device runs what was made for an older one of the same generation, and PTX for any older one.
bool runs(const Image &image) {
    long own = 10 * settings.compute_major + settings.compute_minor;
    return image.architecture <= own && (image.is_ptx || image.architecture / 10 == settings.compute_major);
}

/// What a real driver would refuse with CUDA_ERROR_INVALID_VALUE; null where it is all right.
const char *objection(const Function &function, dim3 grid, dim3 block, size_t shared_bytes) {
    if (!grid.x || !grid.y || !grid.z) return "a dimension of the grid is 0";
    if (!block.x || !block.y || !block.z) return "a dimension of the block is 0";
    if (grid.x > 0x7FFFFFFF || grid.y > 65535 || grid.z > 65535) return "the grid is too large";
    if (block.x > 1024 || block.y > 1024 || block.z > 64) return "the block is too large";
    if (block.x * block.y * block.z > function.kernel->most_threads) return "more threads than the launch bounds allow";
    if (shared_bytes > most_shared_bytes) return "more shared memory than a block has";
    return nullptr;
}

/// One kernel, when its turn has come.
void run_kernel(const Kernel *kernel, const std::vector<uint64_t> &arguments, dim3 grid, dim3 block,
                size_t shared_bytes) {
    if (settings.fail_launch_after > 0 && --settings.fail_launch_after == 0) {
        failure = ILLEGAL_ADDRESS;
        return;
    }
    bool backwards = settings.order == 2 ? counters.kernels % 2 == 1 : settings.order == 1;
    counters.kernels++;
    run({kernel, arguments.data(), grid, block, shared_bytes, backwards});
    check_ends(kernel->name);
}

}  // namespace
}  // namespace emulator

using namespace emulator;

int cuModuleLoadData(void **module, const void *image) {
    EMULATOR_ENTER;
    if (forbidden_while_capturing()) return CAPTURE_UNSUPPORTED;
    Image header;
    memcpy(&header.magic, image, sizeof header.magic);
    if (header.magic != image_magic) return CU_INVALID_IMAGE;
    memcpy(&header, image, sizeof header);
    if (!runs(header)) return CU_NO_BINARY_FOR_GPU;
    *module = modules.add(std::make_shared<Module>());
    return CU_OK;
}

int cuModuleUnload(void *handle) {
    EMULATOR_LOCKED;
    auto module = modules.find(handle);
    if (!module) return INVALID_HANDLE;
    run_everything();
    for (auto &[name, function] : module->functions) functions.remove(function);
    modules.remove(handle);
    return CU_OK;
}

int cuModuleGetFunction(void **function, void *handle, const char *name) {
    EMULATOR_ENTER;
    auto module = modules.find(handle);
    if (!module) return INVALID_HANDLE;
    for (const Kernel *kernel = kernels; kernel->name; kernel++) {
        if (strcmp(kernel->name, name) != 0) continue;
        void *&known = module->functions[name];
        if (!known) known = functions.add(std::make_shared<Function>(Function{kernel}));
        *function = known;
        return CU_OK;
    }
    return CU_NOT_FOUND;
}

int cuLaunchKernel(void *handle, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
                   unsigned block_z, unsigned shared_bytes, void *stream, void **parameters, void **extra) {
    EMULATOR_ENTER;
    auto function = functions.find(handle);
    if (!function) return INVALID_HANDLE;
    dim3 grid = {grid_x, grid_y, grid_z}, block = {block_x, block_y, block_z};
    if (const char *reason = objection(*function, grid, block, shared_bytes)) {
        fprintf(stderr, "CUDA emulator: launch of %s refused: %s; grid (%u, %u, %u), block (%u, %u, %u), %u bytes\n",
                function->kernel->name, reason, grid_x, grid_y, grid_z, block_x, block_y, block_z, shared_bytes);
        return INVALID_VALUE;
    }
    if (!parameters || !parameters[0] || extra) return INVALID_VALUE;
    counters.launches++;
    const Kernel *kernel = function->kernel;
    std::vector<uint64_t> arguments((kernel->argument_bytes + 7) / 8);
    memcpy(arguments.data(), parameters[0], kernel->argument_bytes);
    return enqueue(stream, [=] { run_kernel(kernel, arguments, grid, block, shared_bytes); });
}
