// One large reservation of addresses from which pages are taken in order; what was given back stays forbidden, so
// that a use after free faults, and costs no memory.
#include "pages.h"

#include <sys/mman.h>
#include <unistd.h>

namespace emulator {
namespace {

constexpr size_t most_bytes = size_t(256) << 30;
char *reservation = nullptr;
size_t taken = 0;

size_t page() {
    static const size_t bytes = size_t(sysconf(_SC_PAGESIZE));
    return bytes;
}

}  // namespace

size_t pages_of(size_t bytes) { return (bytes + page() - 1) / page() * page(); }

void *guarded_pages(size_t bytes) {
    if (!reservation) {
        void *all = mmap(nullptr, most_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (all == MAP_FAILED) return nullptr;
        reservation = (char *)all;
        taken = page();
    }
    size_t whole = pages_of(bytes);
    if (whole + page() > most_bytes - taken) return nullptr;
    void *begin = reservation + taken;
    if (mprotect(begin, whole, PROT_READ | PROT_WRITE) != 0) return nullptr;
    taken += whole + page();
    return begin;
}

void forbid_pages(void *begin, size_t bytes) {
    mmap(begin, pages_of(bytes), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

bool among_pages(const void *address) {
    return reservation && address >= reservation && address < reservation + taken;
}

}  // namespace emulator
