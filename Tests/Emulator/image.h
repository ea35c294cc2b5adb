// What the emulated compiler makes and the emulated driver loads instead of machine code: the kernels themselves are
// in this library already.
#ifndef EMULATOR_IMAGE_H
#define EMULATOR_IMAGE_H

#include <stdint.h>

namespace emulator {

struct Image {
    uint64_t magic, source_hash;
    int architecture;  // 90 for sm_90
    int is_ptx;        // then for any later device, too
};
constexpr uint64_t image_magic = 0x4547414D49554D45;  // "EMUIMAGE"

}  // namespace emulator

#endif
