// Memory of the emulated devices, and pinned memory: every block lies as near before an untouchable page as its
// alignment allows, is full of 0xFF (no number, or -1) at first, and faults when it is used after being freed.
#include "memory.h"

#include <stdio.h>
#include <string.h>

#include <map>

#include "driver_state.h"
#include "fibers.h"
#include "pages.h"
#include "settings.h"
#include "stream.h"

namespace emulator {
namespace {

constexpr size_t alignment = 256;
constexpr char canary = char(0xA5);

struct Block {
    size_t bytes;
    char *pages;
    Device *device;  // null: pinned memory of the host
};
/// By where they begin.
std::map<char *, Block> blocks;

size_t rounded(size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

char *allocate(size_t bytes, Device *device) {
    size_t whole = pages_of(bytes);
    char *pages = (char *)guarded_pages(bytes);
    if (!pages) return nullptr;
    char *begin = pages + whole - rounded(bytes);
    memset(pages, canary, size_t(begin - pages));
    memset(begin, 0xFF, bytes);
    memset(begin + bytes, canary, rounded(bytes) - bytes);
    blocks[begin] = {bytes, pages, device};
    return begin;
}

bool is_canary(const char *begin, const char *end) {
    for (; begin < end; begin++)
        if (*begin != canary) return false;
    return true;
}

void check_end(const char *begin, const Block &block, const char *after) {
    if (!is_canary(begin + block.bytes, begin + rounded(block.bytes)))
        fail("%s wrote behind the end of a block of %zu bytes", after, block.bytes);
}

void release(char *begin, const Block &block) {
    check_end(begin, block, "something");
    if (!is_canary(block.pages, begin)) fail("something wrote before a block of %zu bytes", block.bytes);
    forbid_pages(block.pages, block.bytes);
    blocks.erase(begin);
}

/// The block that an address is in or behind, `blocks.end()` where there is none.
std::map<char *, Block>::iterator block_at(const void *address) {
    auto next = blocks.upper_bound((char *)address);
    return next == blocks.begin() ? blocks.end() : --next;
}

}  // namespace

bool on_device(cu_address address, size_t bytes) {
    auto place = block_at((void *)address);
    if (place == blocks.end() || !place->second.device) return false;
    size_t offset = size_t(address - (cu_address)place->first);
    return offset <= place->second.bytes && bytes <= place->second.bytes - offset;
}

bool on_host(const void *address) {
    auto place = block_at(address);
    if (!among_pages(address)) return address != nullptr;
    return place != blocks.end() && !place->second.device &&
           size_t((char *)address - place->first) < place->second.bytes;
}

void check_ends(const char *after) {
    for (const auto &[begin, block] : blocks)
        if (block.device) check_end(begin, block, after);
}

const char *described(const void *address) {
    static char text[160];
    auto place = block_at(address);
    if (!among_pages(address)) return "which no allocation gave";
    if (place == blocks.end()) return "in freed memory or before all blocks";
    size_t offset = size_t((char *)address - place->first), bytes = place->second.bytes;
    if (offset >= 2 * rounded(bytes) + (1 << 20)) return "in freed memory or far from all blocks";
    snprintf(text, sizeof text, "byte %zu of a block of %zu bytes, if not in freed memory", offset, bytes);
    return text;
}

}  // namespace emulator

using namespace emulator;

int cuMemGetInfo_v2(size_t *free, size_t *total) {
    EMULATOR_ENTER;
    *total = size_t(settings.memory_bytes);
    *free = *total > current_device->used_bytes ? *total - current_device->used_bytes : 0;
    return CU_OK;
}

int cuMemAlloc_v2(cu_address *address, size_t bytes) {
    EMULATOR_ENTER;
    if (forbidden_while_capturing()) return CAPTURE_UNSUPPORTED;
    if (bytes == 0) return INVALID_VALUE;
    size_t total = size_t(settings.memory_bytes), used = current_device->used_bytes;
    char *begin = used > total || bytes > total - used ? nullptr : allocate(bytes, current_device);
    if (!begin) return CU_OUT_OF_MEMORY;
    current_device->used_bytes += bytes;
    counters.allocations++;
    counters.bytes += long(bytes);
    *address = (cu_address)begin;
    return CU_OK;
}

/// Does not wait, as a real driver need not: what still uses the memory faults. Even after a failure, when a real device would do it
/// with the end of the program: tests go on.
int cuMemFree_v2(cu_address address) {
    EMULATOR_LOCKED;
    if (int error = unusable(); error && !failure) return error;
    if (forbidden_while_capturing()) return CAPTURE_UNSUPPORTED;
    auto place = blocks.find((char *)address);
    if (address == 0) return failure;
    if (place == blocks.end() || !place->second.device) return INVALID_VALUE;
    place->second.device->used_bytes -= place->second.bytes;
    counters.bytes -= long(place->second.bytes);
    release(place->first, place->second);
    return failure;
}

int cuMemHostAlloc(void **memory, size_t bytes, unsigned flags) {
    EMULATOR_ENTER;
    if (forbidden_while_capturing()) return CAPTURE_UNSUPPORTED;
    if (bytes == 0 || flags > 7) return INVALID_VALUE;
    *memory = allocate(bytes, nullptr);
    return *memory ? CU_OK : CU_OUT_OF_MEMORY;
}

int cuMemFreeHost(void *memory) {
    EMULATOR_LOCKED;
    if (int error = unusable(); error && !failure) return error;
    if (forbidden_while_capturing()) return CAPTURE_UNSUPPORTED;
    auto place = blocks.find((char *)memory);
    if (place == blocks.end() || place->second.device) return INVALID_VALUE;
    release(place->first, place->second);
    return failure;
}
