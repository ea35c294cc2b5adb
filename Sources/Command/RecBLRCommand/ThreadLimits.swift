import ErrorSupport
package import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Throws where the limits of this process do not allow so many computing threads: libraries would wait for ever.
package func requireThreads(_ count: Int, on backend: any Backend) throws {
    let bytes = 64 << 20  // for models and workspaces
    if let (needed, limit) = MemoryLimit.exceeded(by: bytes, addresses: count * backend.addressesPerThread) {
        throw fail(
            .systemError,
            "computing on \(counted(count, "thread")) takes \(readableBytes(needed)), \(limit): raise the limit or give fewer --threads"
        )
    }
    // Dispatch has a thread of its own.
    guard canRun(threads: count + 1) else {
        throw fail(
            .systemError,
            "\(counted(count, "thread")) cannot be started: raise the limit (ulimit -u) or give fewer --threads")
    }
}

/// Whether so many threads can exist at once, found out by starting them.
private func canRun(threads: Int) -> Bool {
    let gate = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    defer { gate.deallocate() }
    pthread_mutex_init(gate, nil)
    pthread_mutex_lock(gate)
    #if canImport(Darwin)
        var started: [pthread_t?] = []
        var thread: pthread_t?
    #else
        var started: [pthread_t] = []
        var thread = pthread_t()
    #endif
    while started.count < threads, pthread_create(&thread, nil, passGate, gate) == 0 { started.append(thread) }
    pthread_mutex_unlock(gate)
    for thread in started {
        #if canImport(Darwin)
            if let thread { pthread_join(thread, nil) }
        #else
            pthread_join(thread, nil)
        #endif
    }
    pthread_mutex_destroy(gate)
    return started.count == threads
}

#if canImport(Darwin)
    private func passGate(_ gate: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? { waitAtGate(gate) }
#else
    private func passGate(_ gate: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? { waitAtGate(gate!) }
#endif

private func waitAtGate(_ gate: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    let mutex = gate.assumingMemoryBound(to: pthread_mutex_t.self)
    pthread_mutex_lock(mutex)
    pthread_mutex_unlock(mutex)
    return nil
}
