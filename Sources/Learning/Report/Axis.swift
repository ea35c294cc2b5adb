import FileSupport
import Foundation

/// A linear scale from numbers to pixels, with tick marks at round numbers.
struct Axis {
    /// The marks, ascending, at least one.
    let ticks: [Double]
    private let step: Double
    private let range: ClosedRange<Double>
    private let pixels: (start: Double, end: Double)

    /// An axis over `values`, of which there is at least one, from `start` to `end` in pixels. Where `rounding`, it ends at
    /// marks, else at the smallest and largest value. At most some `count` marks, 1, 2 or 5 times a power of ten apart and at
    /// least `smallestStep`.
    init(
        _ values: [Double], from start: Double, to end: Double, count: Int = 5, rounding: Bool = true,
        smallestStep: Double = 0
    ) {
        let (low, high) = (values.min() ?? 0, values.max() ?? 0)
        // A single value is centred.
        let isRange = high - low > 1e-9 * max(abs(low), abs(high))
        let margin = isRange ? 0 : max(abs(high) * 0.1, 1e-3)
        let raw = (high - low + 2 * margin) / Double(max(1, count - 1))
        step = max(Self.roundUp(raw), smallestStep)
        let (first, last) = ((low - margin) / step, (high + margin) / step)
        if rounding {
            let marks = Int((first + 1e-9).rounded(.down))...Int((last - 1e-9).rounded(.up))
            ticks = marks.map { [step] in Double($0) * step }
            range = ticks[0]...ticks[ticks.count - 1]
        } else {
            let (from, to) = (Int((first - 1e-9).rounded(.up)), Int((last + 1e-9).rounded(.down)))
            ticks = from > to ? [low] : (from...to).map { [step] in Double($0) * step }
            range = low - margin...high + margin
        }
        pixels = (start, end)
    }

    /// The smallest of 1, 2, 5, 10 times a power of ten that is not less.
    private static func roundUp(_ value: Double) -> Double {
        let power = pow(10, log10(value).rounded(.down))
        return power * ([1, 2, 5].first { $0 * power >= value * (1 - 1e-9) } ?? 10)
    }

    /// The pixel of a value.
    func position(_ value: Double) -> Double {
        pixels.start + (value - range.lowerBound) / (range.upperBound - range.lowerBound) * (pixels.end - pixels.start)
    }

    /// The text of a tick mark, with enough digits to distinguish it from the others.
    func label(_ tick: Double) -> String {
        if step >= 1, abs(tick) < 1e15 { return grouped(Int(tick.rounded())) }
        return fixed(tick, max(0, Int((-log10(step) - 1e-9).rounded(.up))))
    }
}
