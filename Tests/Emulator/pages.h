// Whole pages of memory between pages that nothing may touch.
#ifndef EMULATOR_PAGES_H
#define EMULATOR_PAGES_H

#include <stddef.h>

namespace emulator {

/// `bytes` rounded up to whole pages.
size_t pages_of(size_t bytes);
/// Readable and writable pages with an untouchable one before and behind; null where there is no more address space.
void *guarded_pages(size_t bytes);
/// Makes such pages untouchable for good: their addresses are never given again.
void forbid_pages(void *begin, size_t bytes);
/// Whether an address was ever given.
bool among_pages(const void *address);

}  // namespace emulator

#endif
