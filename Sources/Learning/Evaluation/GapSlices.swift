import Interactions

extension EvaluationReport {
    /// The cases whose targets came about equally long after the event before them.
    public struct GapSlice: Sendable, Codable, Equatable {
        /// How long.
        public var gap: Gap
        /// Metrics of these cases.
        public var metrics: SettingMetrics
    }

    /// The time between a target and the event before it.
    public enum Gap: String, Sendable, Codable, CaseIterable {
        /// Less than a minute.
        case minute = "< 1 min"
        /// Less than an hour.
        case hour = "< 1 h"
        /// Less than a day.
        case day = "< 1 day"
        /// Less than a week.
        case week = "< 1 week"
        /// A week or longer.
        case longer

        /// The class of a gap in nanoseconds.
        init(nanoseconds: Int64) {
            let limits: [(Gap, seconds: Int64)] = [(.minute, 60), (.hour, 3600), (.day, 86_400), (.week, 604_800)]
            self = limits.first { nanoseconds < $0.seconds * 1_000_000_000 }?.0 ?? .longer
        }
    }

    /// The class of each case's gap; nil where the data has no dates.
    static func gaps(_ cases: [EvaluationCase], _ dataset: Dataset) -> [Gap]? {
        guard dataset.hasDates else { return nil }
        return cases.map { each in
            let times = dataset.timestamps(ofUser: each.user, each.position - 1..<each.position + 1) ?? [0, 0]
            return Gap(nanoseconds: times[1] &- times[0])
        }
    }

    /// The metrics of each class of gap, shortest first; nil where the data has no dates.
    static func gapSlices(_ ranks: [CaseRanks], _ cases: [EvaluationCase], _ dataset: Dataset) -> [GapSlice]? {
        guard let gaps = gaps(cases, dataset) else { return nil }
        return Gap.allCases.map { gap in
            GapSlice(gap: gap, metrics: SettingMetrics(zip(ranks, gaps).filter { $0.1 == gap }.map(\.0)))
        }
    }
}
