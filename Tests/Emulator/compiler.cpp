// libnvrtc: takes any source (whether it compiles for a GPU, NVIDIA's compiler must say) and gives an image that says
// for which architecture.
#include <stdio.h>
#include <string.h>

#include <string>

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

/// The newest architecture that this version knows.
int newest_architecture() {
    long version = 100 * settings.nvrtc_major + settings.nvrtc_minor;
    return version >= 1208 ? 120 : version >= 1108 ? 90 : 80;
}

/// NN of "--gpu-architecture=sm_NN"; 0 where there is none that this version knows.
int architecture_of(int count, const char *const *options) {
    int architecture = 0;
    for (int i = 0; i < count; i++) sscanf(options[i], "--gpu-architecture=sm_%d", &architecture);
    return architecture >= 50 && architecture <= newest_architecture() ? architecture : 0;
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
    int architecture = architecture_of(option_count, options);
    if (!architecture) {
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
    program->image = {image_magic, hash(program->source), architecture, 0};
    return 0;
}

int nvrtcGetCUBINSize(void *handle, size_t *bytes) {
    EMULATOR_LOCKED;
    auto program = programs.find(handle);
    if (!program) return INVALID_PROGRAM;
    *bytes = program->image.architecture ? sizeof(Image) : 0;
    return 0;
}

int nvrtcGetCUBIN(void *handle, char *image) {
    EMULATOR_LOCKED;
    auto program = programs.find(handle);
    if (!program || !program->image.architecture) return INVALID_PROGRAM;
    memcpy(image, &program->image, sizeof(Image));
    return 0;
}

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
