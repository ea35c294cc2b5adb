import Metrics
import Synchronization

/// What is measured under one name with one set of labels. Recording is a few atomic operations.
protocol Series: AnyObject, Sendable {
    /// Appends its samples.
    func write(_ name: String, _ labels: String, to text: inout String)
}

/// A number that only grows.
final class Total: Series, CounterHandler {
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { value.store(0, ordering: .relaxed) }

    func write(_ name: String, _ labels: String, to text: inout String) {
        text += sample(name, labels, String(value.load(ordering: .relaxed)))
    }
}

/// A number that goes up and down.
final class Level: Series, MeterHandler, RecorderHandler {
    private let value = AtomicDouble()

    func set(_ value: Int64) { self.value.set(Double(value)) }
    func set(_ value: Double) { self.value.set(value) }
    func increment(by amount: Double) { value.add(amount) }
    func decrement(by amount: Double) { value.add(-amount) }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }

    func write(_ name: String, _ labels: String, to text: inout String) {
        text += sample(name, labels, number(value.current))
    }
}

/// How many values were at most as large as each of some bounds.
final class Histogram: Series, RecorderHandler, TimerHandler {
    /// Bounds for durations: from a step of one state to a request that is far too slow.
    static let seconds = [
        1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    /// Bounds for numbers of things: powers of two.
    static let sizes = (0...16).map { Double(1 << $0) }

    private final class Count: Sendable { let value = Atomic<Int>(0) }

    private let bounds: [Double]
    /// One for each bound, and one for what is above all of them.
    private let counts: [Count]
    private let sum = AtomicDouble()

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = (0...bounds.count).map { _ in Count() }
    }

    func record(_ value: Int64) { record(Double(value)) }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count].value.wrappingAdd(1, ordering: .relaxed)
        sum.add(value)
    }

    func write(_ name: String, _ labels: String, to text: inout String) {
        let prefix = labels.isEmpty ? "" : labels + ","
        var total = 0
        for (bound, count) in zip(bounds + [.infinity], counts) {
            total += count.value.load(ordering: .relaxed)
            text += sample(name + "_bucket", "\(prefix)le=\"\(number(bound))\"", String(total))
        }
        text += sample(name + "_sum", labels, number(sum.current)) + sample(name + "_count", labels, String(total))
    }
}

/// A floating-point number that threads add to.
private struct AtomicDouble: ~Copyable {
    private let bits = Atomic<UInt64>(0)

    var current: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func add(_ amount: Double) {
        var before = bits.load(ordering: .relaxed)
        while true {
            let after = (Double(bitPattern: before) + amount).bitPattern
            let (exchanged, current) = bits.weakCompareExchange(expected: before, desired: after, ordering: .relaxed)
            if exchanged { return }
            before = current
        }
    }
}
