// Streams, graphs and events. Nothing runs before somebody waits for it, so that a host that changes or frees memory
// too early, or reads it without waiting, is found out.
#include "stream.h"

#include <string.h>

#include <deque>
#include <thread>
#include <vector>

#include "driver_state.h"
#include "faults.h"
#include "memory.h"
#include "settings.h"

namespace emulator {
namespace {

typedef std::vector<Operation> Graph;

struct Stream {
    std::deque<Operation> waiting;
    // While it captures:
    std::shared_ptr<Graph> graph;
    bool spoilt = false;
    std::thread::id capturer;
    // A branch of another stream's capture. Its work is put off until somebody waits for it where it is `late`.
    Stream *origin = nullptr;
    bool late = false;
    long given = 0, joined = 0;  // pieces of work, of which the begin is one
    Graph put_off;

    void end_capture() {
        graph = nullptr;
        origin = nullptr;
        put_off.clear();
    }
};

struct Event {
    bool recorded = false, captured = false;
    Stream *stream = nullptr;
    long pending = 0;  // records that have not run
    long microseconds = 0;
    long given = 0;  // where it is captured in a branch: the work before it
};

Handles<Stream> streams;
Handles<Graph> graphs, executables;
Handles<Event> events;

/// Time on the device, where everything that runs takes a microsecond: tests know what they measure.
long device_microseconds() { return counters.kernels + counters.products + counters.copies; }

/// Null is the default stream.
std::shared_ptr<Stream> stream_of(void *handle) {
    static std::shared_ptr<Stream> usual = std::make_shared<Stream>();
    if (!streams.find(usual.get())) streams.add(usual);
    return handle ? streams.find(handle) : usual;
}

/// Once more, where it has been joined before. Its begin counts as work, which has to be joined.
void begin_branch(Stream &branch) {
    static long turns = 0;
    branch.given++;
    if (!branch.put_off.empty()) return;
    branch.late = settings.order == 1 || (settings.order == 2 && turns++ % 2 == 0);
    counters.branches++;
}

void run_first(Stream &stream) {
    Operation operation = std::move(stream.waiting.front());
    stream.waiting.pop_front();
    if (!failure) operation();
}

void run_all(Stream &stream) {
    if (stream.waiting.empty()) return;
    Faults explained;
    while (!stream.waiting.empty()) run_first(stream);
}

}  // namespace

int enqueue(void *handle, Operation operation) {
    auto stream = stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    if (!stream->graph)
        stream->waiting.push_back(std::move(operation));
    else if (stream->spoilt)
        return CAPTURE_INVALIDATED;
    else {
        stream->given++;
        (stream->origin && stream->late ? stream->put_off : *stream->graph).push_back(std::move(operation));
    }
    return CU_OK;
}

void run_everything() {
    for (const auto &[handle, stream] : streams) run_all(*stream);
}

void drop_everything() {
    for (const auto &[handle, stream] : streams) stream->waiting.clear();
}

bool forbidden_while_capturing() {
    bool any = false;
    for (const auto &[handle, stream] : streams)
        if (stream->graph && stream->capturer == std::this_thread::get_id()) any = stream->spoilt = true;
    return any;
}

}  // namespace emulator

using namespace emulator;

// MARK: Streams

int cuStreamCreate(void **stream, unsigned flags) {
    EMULATOR_ENTER;
    if (flags > CU_STREAM_NOT_BLOCKING) return INVALID_VALUE;
    *stream = streams.add(std::make_shared<Stream>());
    return CU_OK;
}

/// What waits in it runs first.
int cuStreamDestroy_v2(void *handle) {
    EMULATOR_LOCKED;
    auto stream = streams.find(handle);
    if (!stream) return INVALID_HANDLE;
    run_all(*stream);
    streams.remove(handle);
    return CU_OK;
}

int cuStreamSynchronize(void *handle) {
    EMULATOR_ENTER;
    auto stream = stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    if (stream->graph) {
        stream->spoilt = true;
        return CAPTURE_UNSUPPORTED;
    }
    counters.synchronizations++;
    run_all(*stream);
    return failure;
}

// MARK: Copies

int cuMemcpyHtoDAsync_v2(cu_address target, const void *source, size_t bytes, void *stream) {
    EMULATOR_ENTER;
    if (bytes == 0) return CU_OK;
    if (!on_device(target, bytes) || !on_host(source)) return INVALID_VALUE;
    return enqueue(stream, [=] {
        counters.copies++;
        memcpy((void *)target, source, bytes);
    });
}

int cuMemcpyDtoHAsync_v2(void *target, cu_address source, size_t bytes, void *stream) {
    EMULATOR_ENTER;
    if (bytes == 0) return CU_OK;
    if (!on_device(source, bytes) || !on_host(target)) return INVALID_VALUE;
    return enqueue(stream, [=] {
        counters.copies++;
        memcpy(target, (void *)source, bytes);
    });
}

int cuMemcpyDtoDAsync_v2(cu_address target, cu_address source, size_t bytes, void *stream) {
    EMULATOR_ENTER;
    if (bytes == 0) return CU_OK;
    if (!on_device(source, bytes) || !on_device(target, bytes)) return INVALID_VALUE;
    return enqueue(stream, [=] {
        counters.copies++;
        memmove((void *)target, (void *)source, bytes);
    });
}

int cuMemsetD8Async(cu_address target, unsigned char value, size_t bytes, void *stream) {
    EMULATOR_ENTER;
    if (bytes == 0) return CU_OK;
    if (!on_device(target, bytes)) return INVALID_VALUE;
    return enqueue(stream, [=] {
        counters.copies++;
        memset((void *)target, value, bytes);
    });
}

// MARK: Graphs

int cuStreamBeginCapture_v2(void *handle, int mode) {
    EMULATOR_ENTER;
    auto stream = stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    // The default stream can't be captured.
    if (!handle || stream->graph || mode < 0 || mode > 2) return handle ? INVALID_VALUE : CAPTURE_UNSUPPORTED;
    stream->graph = std::make_shared<Graph>();
    stream->spoilt = false;
    stream->capturer = std::this_thread::get_id();
    return CU_OK;
}

int cuStreamEndCapture(void *handle, void **graph) {
    EMULATOR_ENTER;
    auto stream = stream_of(handle);
    *graph = nullptr;
    if (!stream) return INVALID_HANDLE;
    if (!stream->graph) return INVALID_VALUE;
    if (stream->capturer != std::this_thread::get_id()) return CAPTURE_WRONG_THREAD;
    if (stream->origin) return CAPTURE_UNMATCHED;
    bool spoilt = stream->spoilt, unjoined = false;
    for (const auto &[other_handle, branch] : streams)
        if (branch->origin == stream.get()) {
            spoilt |= branch->spoilt;
            unjoined |= branch->joined < branch->given;
            branch->end_capture();
        }
    auto captured = std::move(stream->graph);
    stream->end_capture();
    if (spoilt) return CAPTURE_INVALIDATED;
    if (unjoined) return CAPTURE_UNJOINED;
    *graph = graphs.add(captured);
    return CU_OK;
}

int cuGraphInstantiateWithFlags(void **executable, void *handle, unsigned long long flags) {
    EMULATOR_ENTER;
    auto graph = graphs.find(handle);
    if (!graph || flags) return INVALID_VALUE;
    *executable = executables.add(std::make_shared<Graph>(*graph));
    return CU_OK;
}

int cuGraphLaunch(void *handle, void *stream) {
    EMULATOR_ENTER;
    auto graph = executables.find(handle);
    if (!graph) return INVALID_VALUE;
    counters.graph_launches++;
    return enqueue(stream, [graph] {
        for (const Operation &operation : *graph)
            if (!failure) operation();
    });
}

int cuGraphExecDestroy(void *executable) {
    EMULATOR_LOCKED;
    return executables.remove(executable) ? CU_OK : INVALID_VALUE;
}

int cuGraphDestroy(void *graph) {
    EMULATOR_LOCKED;
    return graphs.remove(graph) ? CU_OK : INVALID_VALUE;
}

// MARK: Events

int cuEventCreate(void **event, unsigned flags) {
    EMULATOR_ENTER;
    if (flags != CU_EVENT_WITH_TIME) return INVALID_VALUE;
    *event = events.add(std::make_shared<Event>());
    return CU_OK;
}

int cuEventDestroy_v2(void *event) {
    EMULATOR_LOCKED;
    return events.remove(event) ? CU_OK : INVALID_HANDLE;
}

int cuEventRecord(void *handle, void *stream_handle) {
    EMULATOR_ENTER;
    auto event = events.find(handle);
    auto stream = stream_of(stream_handle);
    if (!event || !stream) return INVALID_HANDLE;
    event->captured = stream->graph != nullptr;
    event->stream = stream.get();
    event->given = stream->given;
    if (event->captured) return CU_OK;  // a place in the graph, which only waiting streams can use
    event->recorded = true;
    event->pending++;
    return enqueue(stream_handle, [event] {
        event->pending--;
        event->microseconds = device_microseconds();
    });
}

/// A stream that waits for a captured event becomes a branch of that capture; what the first stream waits for is joined.
int cuStreamWaitEvent(void *stream_handle, void *handle, unsigned flags) {
    EMULATOR_ENTER;
    auto event = events.find(handle);
    auto stream = stream_of(stream_handle);
    if (!event || !stream) return INVALID_HANDLE;
    if (flags) return INVALID_VALUE;
    if (!event->captured) {
        if (stream->graph) return CAPTURE_ISOLATION;
        return enqueue(stream_handle, [event] {
            while (event->pending > 0 && !event->stream->waiting.empty()) run_first(*event->stream);
        });
    }
    Stream &source = *event->stream;
    if (!source.graph) return INVALID_VALUE;  // that capture has ended
    if (!stream->graph) {
        stream->graph = source.graph;
        stream->spoilt = false;
        stream->capturer = source.capturer;
        stream->origin = &source;
        stream->given = stream->joined = 0;
        begin_branch(*stream);
    } else if (source.origin == stream.get()) {
        Graph &rest = source.put_off;
        long done = event->given - (source.given - long(rest.size()));
        if (done > 0) {
            stream->graph->insert(stream->graph->end(), rest.begin(), rest.begin() + done);
            rest.erase(rest.begin(), rest.begin() + done);
        }
        source.joined = event->given;
    } else if (stream->origin == &source) {
        begin_branch(*stream);
    }
    return CU_OK;
}

int cuEventSynchronize(void *handle) {
    EMULATOR_ENTER;
    auto event = events.find(handle);
    if (!event) return INVALID_HANDLE;
    if (event->captured) return CAPTURED_EVENT;
    counters.synchronizations++;
    Faults explained;
    while (event->pending > 0 && !event->stream->waiting.empty()) run_first(*event->stream);
    return failure;
}

int cuEventElapsedTime(float *milliseconds, void *from, void *to) {
    EMULATOR_ENTER;
    auto first = events.find(from), second = events.find(to);
    if (!first || !second || !first->recorded || !second->recorded) return INVALID_HANDLE;
    if (first->captured || second->captured) return CAPTURED_EVENT;
    if (first->pending || second->pending) return CU_NOT_READY;
    *milliseconds = (second->microseconds - first->microseconds) / 1000.0f;
    return CU_OK;
}
