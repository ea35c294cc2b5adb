// Memory of the devices and pinned memory of the host, as the rest of the driver sees it.
#ifndef EMULATOR_MEMORY_H
#define EMULATOR_MEMORY_H

#include <stddef.h>

#include "driver.h"

namespace emulator {

/// Whether all these bytes are within one block of a device.
bool on_device(cu_address address, size_t bytes);
/// Whether bytes may be the host's: anything but a device's.
bool on_host(const void *address);
/// Ends the program where something was written just behind a block; `after` says what ran last.
void check_ends(const char *after);
/// A sentence about an address: what it is in or near to.
const char *described(const void *address);

}  // namespace emulator

#endif
