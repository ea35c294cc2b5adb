public import Identifiers

/// How a service runs.
public struct LiveOptions: Sendable, Equatable {
    /// The types of events that move states; nil: all.
    public var eventTypes: Set<RawID>?
    /// The largest size of all live states with their recent items, in bytes.
    public var stateMemory = 1 << 30
    /// Threads for states and ranking.
    public var threads = 2
    /// How long a request may wait before it is refused, in milliseconds.
    public var maximumWait = 500

    /// The defaults.
    public init() {}
}
