import CoreMetrics

/// What the engine counts and measures. `docs/operations.md` says what each number means.
enum LiveMetrics {
    static let events = Counter(label: "recblr_events_total")
    static let duplicates = Counter(label: "recblr_duplicate_events_total")
    static let unknownEvents = Counter(label: "recblr_unknown_item_events_total")
    static let lateEvents = Counter(label: "recblr_late_events_total")
    static let overloads = Counter(label: "recblr_overload_refusals_total")
    static let rebuilds = Counter(label: "recblr_state_rebuilds_total")
    static let rebuiltEvents = Counter(label: "recblr_state_rebuild_events_total")
    static let evictions = Counter(label: "recblr_state_evictions_total")
    static let checkpoints = Counter(label: "recblr_state_checkpoints_total")
    static let damagedCheckpoints = Counter(label: "recblr_damaged_checkpoints_total")
    static let groupSize = Recorder(label: "recblr_commit_group_changes")
    static let commitTime = Timer(label: "recblr_commit_seconds")
    static let passTime = Timer(label: "recblr_state_pass_seconds")
    static let rankTime = Timer(label: "recblr_rank_seconds")
    static let rankBatch = Recorder(label: "recblr_rank_batch_requests")

    /// Makes all instruments now: who watches a counter that appears with its first event never sees that one.
    static func register() {
        _ = [
            events, duplicates, unknownEvents, lateEvents, overloads, rebuilds, rebuiltEvents, evictions, checkpoints,
            damagedCheckpoints,
        ]
        _ = ([groupSize, rankBatch], [commitTime, passTime, rankTime])
    }

    /// The states that a shard holds.
    static func liveStates(shard: Int) -> Gauge {
        Gauge(label: "recblr_live_states", dimensions: [("shard", "\(shard)")])
    }

    /// What they occupy, in bytes.
    static func stateBytes(shard: Int) -> Gauge {
        Gauge(label: "recblr_live_state_bytes", dimensions: [("shard", "\(shard)")])
    }

    /// Events that cite a recommendation, by the version that made it.
    static func attributed(_ version: String) -> Counter {
        Counter(label: "recblr_attributed_events_total", dimensions: [("model_version", version)])
    }
}

/// Counts the recommendations of a version by what they are based on.
struct AnswerCounters: Sendable {
    private let counters: [Recommendations.Basis: Counter]

    init(version: String) {
        let all = Recommendations.Basis.allCases.map { basis in
            let labels = [("model_version", version), ("basis", basis.rawValue)]
            return (basis, Counter(label: "recblr_recommendations_total", dimensions: labels))
        }
        counters = Dictionary(uniqueKeysWithValues: all)
        _ = LiveMetrics.attributed(version)  // begins with zero, too
    }

    func count(_ basis: Recommendations.Basis) { counters[basis]?.increment() }
}
