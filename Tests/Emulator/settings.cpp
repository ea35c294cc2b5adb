#include "settings.h"

#include <stdlib.h>
#include <string.h>

#include <string>

#include "driver_state.h"
#include "fibers.h"
#include "stream.h"

namespace emulator {

Settings settings;
Counters counters;

void read_environment() {
    const char *text = getenv("RECBLR_EMULATOR");
    std::string rest = text ? text : "";
    while (!rest.empty()) {
        size_t end = rest.find(',');
        std::string entry = rest.substr(0, end);
        rest = end == std::string::npos ? "" : rest.substr(end + 1);
        size_t equals = entry.find('=');
        if (equals == std::string::npos) fail("RECBLR_EMULATOR has no '=' in '%s'", entry.c_str());
        recblr_emulator_set(entry.substr(0, equals).c_str(), atol(entry.c_str() + equals + 1));
    }
}

}  // namespace emulator

using namespace emulator;

void recblr_emulator_set(const char *key, long value) {
    std::lock_guard<std::recursive_mutex> hold(lock);
    if (strcmp(key, "fail_launch_after") == 0 && failure) {
        failure = 0;
        drop_everything();
    }
#define SET(name, usual)                                                                                               \
    if (strcmp(key, #name) == 0) {                                                                                     \
        settings.name = value;                                                                                         \
        return;                                                                                                        \
    }
    EMULATOR_SETTINGS(SET)
    fail("there is no setting '%s'", key);
}

long recblr_emulator_count(const char *what) {
    std::lock_guard<std::recursive_mutex> hold(lock);
#define COUNT(name)                                                                                                    \
    if (strcmp(what, #name) == 0) return counters.name;
    EMULATOR_COUNTERS(COUNT)
    fail("nothing counts '%s'", what);
}
