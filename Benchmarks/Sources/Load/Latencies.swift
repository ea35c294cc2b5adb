import Histogram

/// Times in microseconds, each within a thousandth.
struct Latencies: Sendable {
    private var histogram = Histogram<UInt32>(
        lowestDiscernibleValue: 1, highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: .three)

    var count: Int { Int(histogram.totalCount) }

    mutating func record(nanoseconds: UInt64) { histogram.record(min(600_000_000, nanoseconds / 1000)) }

    mutating func add(_ other: Latencies) { histogram.add(other.histogram) }

    /// Milliseconds that this share of all times does not exceed, in percent; 0 where there are none.
    func milliseconds(percentile: Double) -> Double {
        count == 0 ? 0 : Double(histogram.valueAtPercentile(percentile)) / 1000
    }

    var summary: Summary {
        Summary(
            p50: milliseconds(percentile: 50), p90: milliseconds(percentile: 90), p99: milliseconds(percentile: 99),
            p999: milliseconds(percentile: 99.9), longest: milliseconds(percentile: 100))
    }

    /// Milliseconds.
    struct Summary: Encodable, Sendable {
        let p50, p90, p99, p999, longest: Double
    }
}
