import Synchronization

/// What ``allocateHost(_:of:zeroed:)`` has given out: an exact count of the bytes of weights, workspaces and scratch tiles,
/// where the resident size of a process also holds whatever else it ever touched.
package enum HostMemory {
    private static let current = Atomic<Int>(0)
    private static let highest = Atomic<Int>(0)

    /// Bytes now in use.
    package static var bytesInUse: Int { current.load(ordering: .relaxed) }
    /// The most that was in use at once since the last ``resetPeak()``.
    package static var peakBytes: Int { highest.load(ordering: .relaxed) }

    /// Begins a new peak at what is in use now.
    package static func resetPeak() { highest.store(bytesInUse, ordering: .relaxed) }

    static func took(_ bytes: Int) {
        let now = current.wrappingAdd(bytes, ordering: .relaxed).newValue
        var peak = peakBytes
        while now > peak {
            let (done, other) = highest.weakCompareExchange(expected: peak, desired: now, ordering: .relaxed)
            if done { return }
            peak = other
        }
    }

    static func gaveBack(_ bytes: Int) { current.wrappingSubtract(bytes, ordering: .relaxed) }
}
