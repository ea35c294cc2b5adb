// Streams: work that waits until somebody waits for it.
#ifndef EMULATOR_STREAM_H
#define EMULATOR_STREAM_H

#include <functional>

namespace emulator {

typedef std::function<void()> Operation;

/// Puts work into a stream, or into the graph that it captures. 0 or a CUresult.
int enqueue(void *stream, Operation operation);
/// Runs what waits in all streams.
void run_everything();
/// Forgets it: after a failure that a test has seen.
void drop_everything();
/// Whether the calling thread captures a stream, which then is no good any more: for calls that it may not make.
bool forbidden_while_capturing();

}  // namespace emulator

#endif
