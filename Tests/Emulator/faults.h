// What goes wrong in a kernel's memory, explained.
#ifndef EMULATOR_FAULTS_H
#define EMULATOR_FAULTS_H

#include <signal.h>

namespace emulator {

/// While one of these lives (one at a time), an access to untouchable memory says which thread of which kernel made
/// it, before the program ends as it would have anyway.
class Faults {
  public:
    Faults();
    ~Faults();
    Faults(const Faults &) = delete;

  private:
    stack_t stack_before;
};

}  // namespace emulator

#endif
