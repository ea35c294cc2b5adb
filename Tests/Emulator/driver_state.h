// What the parts of the driver share: one lock, errors, contexts, handles.
#ifndef EMULATOR_DRIVER_STATE_H
#define EMULATOR_DRIVER_STATE_H

#include <map>
#include <memory>
#include <mutex>

#include "driver.h"

namespace emulator {

/// CUresult, beside those that driver.h has.
enum {
    INVALID_VALUE = 1,
    NOT_INITIALIZED = 3,
    INVALID_DEVICE = 101,
    INVALID_CONTEXT = 201,
    INVALID_HANDLE = 400,
    ILLEGAL_ADDRESS = 700,
    CAPTURE_UNSUPPORTED = 900,
    CAPTURE_INVALIDATED = 901,
    CAPTURE_UNMATCHED = 903,
    CAPTURE_UNJOINED = 904,
    CAPTURE_ISOLATION = 905,
    CAPTURED_EVENT = 907,
    CAPTURE_WRONG_THREAD = 908,
};

extern std::recursive_mutex lock;
extern bool initialized;
/// The first failure of a kernel: all that needs the device fails with it from then on.
extern int failure;

constexpr int most_devices = 16;
struct Device {
    int ordinal;
    size_t used_bytes;
};
extern Device devices[most_devices];
/// The device of the calling thread's context, null where it has none.
extern __thread Device *current_device;

/// Why a call that needs a context can't be made now; 0 where it can.
int unusable();

/// Objects behind the handles of one kind; those that were destroyed are known no more.
template <class T> class Handles {
  public:
    void *add(std::shared_ptr<T> object) {
        void *handle = object.get();
        objects[handle] = std::move(object);
        return handle;
    }
    std::shared_ptr<T> find(void *handle) const {
        auto place = objects.find(handle);
        return place == objects.end() ? nullptr : place->second;
    }
    bool remove(void *handle) { return objects.erase(handle) > 0; }
    auto begin() const { return objects.begin(); }
    auto end() const { return objects.end(); }

  private:
    std::map<void *, std::shared_ptr<T>> objects;
};

}  // namespace emulator

/// Every exported function has the prototype of driver.h.
#define EMULATOR_EXPORT(name, parameters) __attribute__((visibility("default"))) int name parameters;
extern "C" {
CU_DRIVER_FUNCTIONS(EMULATOR_EXPORT)
CU_COMPILER_FUNCTIONS(EMULATOR_EXPORT)
CU_PRODUCT_FUNCTIONS(EMULATOR_EXPORT)
}
#undef EMULATOR_EXPORT

/// First lines of functions of the driver: with the lock; and for those that need a context.
#define EMULATOR_LOCKED std::lock_guard<std::recursive_mutex> hold(emulator::lock)
#define EMULATOR_ENTER                                                                                                 \
    EMULATOR_LOCKED;                                                                                                   \
    if (int error = emulator::unusable()) return error

#endif
