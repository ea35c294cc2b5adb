/// What `recblr-bench serve` measures.
struct ServiceFigures: Encodable, Sendable {
    /// The machine, which server and load share.
    let machine: Machine
    /// One entry for each load, in order of time.
    var loads: [LoadFigures] = []
    /// What was to be reached.
    var goals: [Goal] = []
}

/// One load on one server.
struct LoadFigures: Encodable, Sendable {
    /// What is shown of the server.
    struct Setting: Encodable, Sendable {
        let items: Int
        /// "full", "relaxed", or "memory" where events are in no file.
        let durability: String
    }

    let name: String
    let setting: Setting
    let kind: LoadKind
    let arrivals: Arrivals
    let connections: Int
    let users: Int
    let seconds: Double
    /// Successful requests a second.
    let perSecond: Double
    /// Milliseconds of successful requests; with open arrivals from when they should have been sent.
    let latency: Latencies.Summary
    /// The same in ten parts of the time.
    let windows: [Window]
    /// Replies by status; 0 is a broken connection.
    let statuses: [Int: Int]
    /// All that did not succeed.
    let failures: Int
    /// Requests that were due and found all connections busy until the end.
    let unsent: Int
    /// Processor time of the server, in cores.
    let serverCores: Double
    /// Milliseconds of `fsync` after a page of 4 KB on the disk of the store, just before and after.
    let fsync: Latencies.Summary

    /// A tenth of the time.
    struct Window: Encodable, Sendable {
        let p50, p99: Double
        /// Resident memory of the server.
        let megabytes: Double
    }

    init(_ name: String, _ setting: Setting, _ load: Load, _ outcome: LoadOutcome, fsync: Latencies.Summary) {
        (self.name, self.setting, self.fsync) = (name, setting, fsync)
        (kind, arrivals, connections) = (load.kind, load.arrivals, load.connections)
        (users, seconds) = (load.users, outcome.seconds)
        (perSecond, latency) = (outcome.perSecond, outcome.all.summary)
        windows = zip(outcome.latencies, outcome.resident).map { latencies, bytes in
            Window(
                p50: latencies.milliseconds(percentile: 50), p99: latencies.milliseconds(percentile: 99),
                megabytes: Double(bytes) / 1e6)
        }
        (statuses, failures, unsent) = (outcome.statuses, outcome.failures, outcome.unsent)
        serverCores = outcome.processorSeconds / outcome.seconds
    }
}

/// A figure beside what it should be.
struct Goal: Encodable, Sendable {
    let name: String
    let measured: Double
    /// The largest value allowed, or the smallest.
    let limit: Double
    let isAtMost: Bool
    let unit: String
    let isReached: Bool

    static func atMost(_ limit: Double, _ unit: String, _ name: String, _ measured: Double) -> Goal {
        Goal(name: name, measured: measured, limit: limit, isAtMost: true, unit: unit, isReached: measured <= limit)
    }

    static func atLeast(_ limit: Double, _ unit: String, _ name: String, _ measured: Double) -> Goal {
        Goal(name: name, measured: measured, limit: limit, isAtMost: false, unit: unit, isReached: measured >= limit)
    }
}
