import Synchronization

/// Counts the bytes of memory of ``allocateHost(_:of:zeroed:)``: weights, workspaces and scratch memory, exactly, which the
/// resident size of the process is not.
package enum HostMemory {
    private static let current = Atomic<Int>(0)
    private static let highest = Atomic<Int>(0)

    /// Bytes now in use.
    package static var bytesInUse: Int { current.load(ordering: .relaxed) }
    /// The largest number of bytes in use at once since the last ``resetPeak()``.
    package static var peakBytes: Int { highest.load(ordering: .relaxed) }

    /// Sets the peak to the bytes in use now.
    package static func resetPeak() { highest.store(bytesInUse, ordering: .relaxed) }

    static func add(_ bytes: Int) {
        let now = current.wrappingAdd(bytes, ordering: .relaxed).newValue
        var peak = peakBytes
        while now > peak {
            let (done, other) = highest.weakCompareExchange(expected: peak, desired: now, ordering: .relaxed)
            if done { return }
            peak = other
        }
    }

    static func subtract(_ bytes: Int) { current.wrappingSubtract(bytes, ordering: .relaxed) }
}
