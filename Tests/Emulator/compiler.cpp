// libnvrtc: takes any source (whether it compiles for a GPU, NVIDIA's compiler must say) and gives an image that says
// for which architecture.
#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <string>
#include <vector>

#include "driver_state.h"
#include "image.h"
#include "settings.h"

namespace emulator {
namespace {

/// nvrtcResult.
enum { INVALID_INPUT = 3, INVALID_PROGRAM = 4, INVALID_OPTION = 5, COMPILATION = 6 };

struct Program {
    std::string source, log;
    Image image = {};
};
Handles<Program> programs;

uint64_t hash(const std::string &text) {
    uint64_t value = 0xcbf29ce484222325;  // FNV-1a
    for (unsigned char byte : text) value = (value ^ byte) * 0x100000001b3;
    return value;
}

/// The architectures that this version knows.
std::vector<int> architectures() {
    long version = 100 * settings.nvrtc_major + settings.nvrtc_minor;
    std::vector<int> all = {75, 80, 86};
    if (version < 1300) all.insert(all.begin(), {50, 60, 70});
    if (version >= 1108) all.insert(all.end(), {89, 90});
    if (version >= 1208) all.insert(all.end(), {100, 120});
    return all;
}

/// Sets what "--gpu-architecture=sm_NN" or "=compute_NN" asks for; false where this version doesn't know it.
bool choose_architecture(Image &image, int count, const char *const *options) {
    for (int i = 0; i < count; i++) {
        if (sscanf(options[i], "--gpu-architecture=sm_%d", &image.architecture) == 1) image.is_ptx = false;
        if (sscanf(options[i], "--gpu-architecture=compute_%d", &image.architecture) == 1) image.is_ptx = true;
    }
    std::vector<int> known = architectures();
    return std::count(known.begin(), known.end(), image.architecture) > 0;
}

/// Copies what was made, where it is of the kind that is asked for: machine code or PTX.
int get_image(void *handle, bool is_ptx, size_t *bytes, char *image) {
    EMULATOR_LOCKED;
    auto program = programs.find(handle);
    if (!program) return INVALID_PROGRAM;
    bool is_there = program->image.architecture && program->image.is_ptx == is_ptx;
    if (bytes) *bytes = is_there ? sizeof(Image) : 0;
    if (image && !is_there) return INVALID_PROGRAM;
    if (image) memcpy(image, &program->image, sizeof(Image));
    return 0;
}

}  // namespace
}  // namespace emulator

using namespace emulator;

int nvrtcVersion(int *major, int *minor) {
    EMULATOR_LOCKED;
    *major = int(settings.nvrtc_major);
    *minor = int(settings.nvrtc_minor);
    return 0;
}

int nvrtcCreateProgram(void **program, const char *source, const char *, int header_count, const char *const *,
                       const char *const *) {
    EMULATOR_LOCKED;
    if (!source || header_count < 0) return INVALID_INPUT;
    auto made = std::make_shared<Program>();
    made->source = source;
    *program = programs.add(made);
    return 0;
}

int nvrtcDestroyProgram(void **program) {
    EMULATOR_LOCKED;
    if (!program || !programs.remove(*program)) return INVALID_PROGRAM;
    *program = nullptr;
    return 0;
}

int nvrtcCompileProgram(void *handle, int option_count, const char *const *options) {
    EMULATOR_LOCKED;
    auto program = programs.find(handle);
    if (!program) return INVALID_PROGRAM;
    program->image = {};
    Image image = {image_magic, hash(program->source), 0, 0};
    if (!choose_architecture(image, option_count, options)) {
        program->log = "nvrtc: error: invalid value for --gpu-architecture (-arch)\n";
        return INVALID_OPTION;
    }
    size_t error = program->source.find("#error");
    if (error != std::string::npos) {
        program->log = "error: " + program->source.substr(error, program->source.find('\n', error) - error) +
                       "\n1 error detected in the compilation.\n";
        return COMPILATION;
    }
    program->log.clear();
    program->image = image;
    return 0;
}

int nvrtcGetNumSupportedArchs(int *count) {
    EMULATOR_LOCKED;
    *count = int(architectures().size());
    return 0;
}

int nvrtcGetSupportedArchs(int *all) {
    EMULATOR_LOCKED;
    std::vector<int> known = architectures();
    std::copy(known.begin(), known.end(), all);
    return 0;
}

int nvrtcGetCUBINSize(void *handle, size_t *bytes) { return get_image(handle, false, bytes, nullptr); }
int nvrtcGetCUBIN(void *handle, char *image) { return get_image(handle, false, nullptr, image); }
int nvrtcGetPTXSize(void *handle, size_t *bytes) { return get_image(handle, true, bytes, nullptr); }
int nvrtcGetPTX(void *handle, char *text) { return get_image(handle, true, nullptr, text); }

int nvrtcGetProgramLogSize(void *handle, size_t *bytes) {
    EMULATOR_LOCKED;
    auto program = programs.find(handle);
    if (!program) return INVALID_PROGRAM;
    *bytes = program->log.size() + 1;
    return 0;
}

int nvrtcGetProgramLog(void *handle, char *text) {
    EMULATOR_LOCKED;
    auto program = programs.find(handle);
    if (!program) return INVALID_PROGRAM;
    memcpy(text, program->log.c_str(), program->log.size() + 1);
    return 0;
}
