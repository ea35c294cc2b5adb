public import Metrics
import Synchronization

/// Counts and measures what the service reports through swift-metrics, and says it as text in Prometheus' format.
///
/// Names begin with `recblr_`, those of counters end with `_total` and those of timers, which are histograms, with `_seconds`. Recording takes no lock;
/// making an instrument does, so whoever records often keeps it.
public final class PrometheusMetrics: MetricsFactory, Sendable {
    /// All series of one name.
    private struct Family {
        var kind: MetricKind
        var series: [String: any Series] = [:]
    }

    private let families = Mutex<[String: Family]>([:])
    private let descriptions: [String: String]

    /// An exporter without values. `descriptions` says what a metric means, by its full name.
    public init(descriptions: [String: String] = metricDescriptions) { self.descriptions = descriptions }

    /// All metrics, one sample a line, in the order of their names.
    public func text() -> String {
        let families = families.withLock { $0 }
        return families.sorted { $0.key < $1.key }.reduce(into: "") { text, family in
            let (name, family) = family
            text += header(name, family.kind, descriptions[name] ?? "Not described.")
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                series.write(name, labels, to: &text)
            }
        }
    }

    // MARK: MetricsFactory

    /// A counter: `recblr_LABEL_total`.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(.counter, label, dimensions) { Total() }
    }

    /// A gauge: `recblr_LABEL`.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(.gauge, label, dimensions) { Level() }
    }

    /// A histogram, or a gauge where the values are not to be aggregated: `recblr_LABEL`.
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else { return series(.gauge, label, dimensions) { Level() } }
        return series(.histogram, label, dimensions) { Histogram(bounds: Histogram.sizes) }
    }

    /// A histogram of durations: `recblr_LABEL_seconds`.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(.timer, label, dimensions) { Histogram(bounds: Histogram.seconds) }
    }

    /// Nothing: what was counted stays.
    public func destroyCounter(_ handler: any CounterHandler) {}
    /// Nothing: what was measured stays.
    public func destroyMeter(_ handler: any MeterHandler) {}
    /// Nothing: what was measured stays.
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    /// Nothing: what was measured stays.
    public func destroyTimer(_ handler: any TimerHandler) {}

    /// A number that is set, shown as one of this kind.
    func level(_ label: String, _ kind: MetricKind = .gauge, _ dimensions: [(String, String)] = []) -> Level {
        series(kind, label, dimensions) { Level() }
    }

    /// The series with this name and these labels, new or not. One whose name has another kind already counts, but is not shown.
    private func series<S: Series>(
        _ kind: MetricKind, _ label: String, _ dimensions: [(String, String)], make: () -> S
    ) -> S {
        let (name, labels) = (metricName(label, kind), labelText(dimensions))
        return families.withLock { families in
            if let series = families[name]?.series[labels] { return series as? S ?? make() }
            let series = make()
            if families[name, default: Family(kind: kind)].kind == kind {
                families[name, default: Family(kind: kind)].series[labels] = series
            }
            return series
        }
    }
}
