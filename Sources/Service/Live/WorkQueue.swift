import Events
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A queue between threads. Many may add; one or more take, in order.
final class WorkQueue<Element: Sendable>: @unchecked Sendable {  // `condition` guards all that changes
    private let condition = NSCondition()
    private var elements: [(element: Element, arrival: ContinuousClock.Instant)] = []
    private var isClosed = false

    /// Adds an element; false where the queue is closed.
    func add(_ element: Element) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        guard !isClosed else { return false }
        elements.append((element, .now))
        condition.signal()
        return true
    }

    /// Takes up to `most` elements, but leaves their part to each of the `threads` that take from it; waits for the first one until
    /// `deadline`. Empty at the deadline, and when the queue is closed and nothing is left.
    func take(_ most: Int, dividedBy threads: Int = 1, until deadline: Date? = nil) -> [Element] {
        condition.lock()
        defer { condition.unlock() }
        while elements.isEmpty, !isClosed {
            if let deadline {
                guard condition.wait(until: deadline) else { return [] }
            } else {
                condition.wait()
            }
        }
        let limit = min(most, (elements.count + threads - 1) / threads)
        if elements.count <= limit {
            defer { elements.removeAll(keepingCapacity: elements.count <= 1024) }
            return elements.map(\.element)
        }
        defer { elements.removeFirst(limit) }
        condition.signal()  // for another thread
        return elements.prefix(limit).map(\.element)
    }

    /// How long the first element has been waiting; zero where there is none.
    var wait: Duration {
        condition.lock()
        defer { condition.unlock() }
        return elements.first.map { ContinuousClock.now - $0.arrival } ?? .zero
    }

    /// Whether it was closed and everything has been taken.
    var isDone: Bool {
        condition.lock()
        defer { condition.unlock() }
        return isClosed && elements.isEmpty
    }

    /// Takes no more elements; those that are there can still be taken.
    func close() {
        condition.lock()
        defer { condition.unlock() }
        isClosed = true
        condition.broadcast()
    }

    /// Takes no more elements and returns those that are there, which nobody else takes.
    func closeAndEmpty() -> [Element] {
        condition.lock()
        defer { condition.unlock() }
        isClosed = true
        condition.broadcast()
        defer { elements = [] }
        return elements.map(\.element)
    }
}

/// Threads that end when their queues are closed. Nothing here runs on the threads of Swift's concurrency, whose number is small.
final class ThreadGroup: Sendable {
    private let group = DispatchGroup()

    /// Who goes first where processors are scarce.
    enum Priority: Sendable {
        case normal
        /// Whatever else runs goes first.
        case background
    }

    /// Runs `body` on a new thread.
    func start(_ name: String, priority: Priority = .normal, _ body: @escaping @Sendable () -> Void) {
        group.enter()
        let thread = Thread { [group] in
            if priority == .background { letOthersGoFirst() }
            body()
            group.leave()
        }
        thread.name = name
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Waits until all threads have ended.
    func wait() { group.wait() }
}

/// Gives this thread a tenth of the weight of others, where the system knows such a thing. It is no error where it does not.
private func letOthersGoFirst() {
    #if canImport(Glibc) || canImport(Musl)
        setpriority(.init(PRIO_PROCESS.rawValue), 0, 10)  // on Linux, of the thread
    #elseif canImport(Darwin)
        pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0)
    #endif
}

/// Calls that may block (reads of the log, mostly), on a few threads.
final class BlockingCalls: Sendable {
    private struct Call: Sendable { var run, drop: @Sendable () -> Void }

    private let queue = WorkQueue<Call>()

    init(threads: Int, priority: ThreadGroup.Priority = .normal, in group: ThreadGroup) {
        for number in 0..<threads {
            group.start("recblr-\(priority == .normal ? "read" : "later")-\(number)", priority: priority) { [queue] in
                while let call = queue.take(1).first { call.run() }
            }
        }
    }

    /// How long the first call has been waiting.
    var wait: Duration { queue.wait }

    /// Runs a call when a thread is free. Where the service ends before, runs `drop` instead, on any thread.
    func run(_ call: @escaping @Sendable () -> Void, orElse drop: @escaping @Sendable () -> Void) {
        if !queue.add(Call(run: call, drop: drop)) { drop() }
    }

    /// Ends the threads after the calls that run now, and drops those that wait: nobody knows how long they would take.
    func close() { for call in queue.closeAndEmpty() { call.drop() } }
}

/// Where the result of a request goes.
typealias Reply<Value> = @Sendable (Result<Value, ServiceError>) -> Void

/// Waits, without blocking a thread, for what `start` replies.
func reply<Value: Sendable>(
    _ start: (@escaping Reply<Value>) -> Void
) async throws(ServiceError) -> Value {
    try await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, ServiceError>, Never>) in
        start { continuation.resume(returning: $0) }
    }.get()
}

/// The server's clock.
func currentTime() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
}
