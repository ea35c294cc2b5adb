import Layers
import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a model with time computes of times (docs/design.md, "Time"), on the host and in double precision.
package enum TimeFeatures {
    /// The shortest gap, in seconds; shorter ones count as this. Otherwise gaps of 0 would betray which events were entered in one batch.
    package static let shortestGap = 60.0
    /// The longest timescale: a year.
    package static let longestTimescale = 365.25 * 86_400
    /// The number of hat functions of b(Δ).
    package static let hats = 10
    /// The numbers that describe when a model is asked: b(Δ), and sine and cosine of the hour and of the weekday.
    static let questionSize = hats + 4

    /// Δ in seconds, at least ``shortestGap``; 0 where one of both times is not known, so that nothing fades.
    static func gap(from earlier: Int64?, to later: Int64?) -> Double {
        guard let earlier, let later else { return 0 }
        return max(shortestGap, Double(later) - Double(earlier))
    }

    /// b(Δ): hat functions of log Δ, evenly spaced from a minute to a year. They add up to 1, two of them at most are not 0; all are 0 where there is
    /// no gap.
    static func hats(of gap: Double) -> [Float] {
        var values = [Float](repeating: 0, count: hats)
        guard gap > 0 else { return values }
        let last = Double(hats - 1)
        let place = min(last, last * log(gap / shortestGap) / log(longestTimescale / shortestGap))
        let lower = Int(place)
        values[lower] = Float(1 - (place - Double(lower)))
        if lower + 1 < hats { values[lower + 1] = Float(place - Double(lower)) }
        return values
    }

    /// Sine and cosine of the hour of the day and of the day of the week, UTC.
    private static func calendar(_ time: Int64) -> [Float] {
        let day: Int64 = 86_400
        return [day, 7 * day].flatMap { period -> [Float] in
            let second = Double((time % period + period) % period)
            let angle = 2 * Double.pi * second / Double(period)
            return [Float(sin(angle)), Float(cos(angle))]
        }
    }

    /// b(Δ) of the gap before an event.
    static func event(_ time: EventTime) -> [Float] { hats(of: gap(from: time.before, to: time.event)) }

    /// What describes the question after an event: b of the time until then, and the calendar.
    static func question(_ time: EventTime) -> [Float] {
        hats(of: gap(from: time.event, to: time.question)) + calendar(time.question ?? time.event)
    }

    /// e^(−ω · φ(Δ)): the share of a channel's state that is left after a gap, in seconds. `fade` is the channel's ω, `rate` its 1 / τ.
    static func share(fading fade: Double, after gap: Double, _ rate: Float) -> Double {
        exp(-fade * log1p(gap * Double(rate)))
    }

    /// 1 / τ of each channel, per second: τ from a minute to a year, evenly spaced in its logarithm.
    package static func rates(channels: Int) -> [Float] {
        (0..<channels).map { channel in
            let place = channels == 1 ? 0 : Double(channel) / Double(channels - 1)
            return Float(1 / (shortestGap * pow(longestTimescale / shortestGap, place)))
        }
    }
}

/// The times of a batch, or of questions, in a backend's memory.
struct BatchTimes {
    private let events, reads, eventHats: Tensor
    /// What describes the questions: [N, 14].
    let questions: Tensor
    /// The rows of the last events of the sequences.
    private let lastRows: Indices
    private let backend: any Backend

    init(_ times: [EventTime], starts: [Int32], on backend: any Backend) {
        events = backend.staged(times.map { Float(TimeFeatures.gap(from: $0.before, to: $0.event)) })
        reads = backend.staged(times.map { Float(TimeFeatures.gap(from: $0.event, to: $0.question)) })
        eventHats = backend.staged(times.flatMap(TimeFeatures.event)).reshaped(times.count, TimeFeatures.hats)
        questions = backend.staged(times.flatMap(TimeFeatures.question))
            .reshaped(times.count, TimeFeatures.questionSize)
        lastRows = backend.staged(starts.dropFirst().map { max(0, $0 - 1) })
        self.backend = backend
    }

    /// The times for the mixers of a pass; with those of the questions for the last layer.
    func pass(isLastLayer: Bool) -> PassTimes {
        PassTimes(events: events, reads: isLastLayer ? reads : nil, eventHats: eventHats)
    }

    /// Copies the row of each sequence's last event.
    func copyLastRows(of x: Tensor, to target: Tensor) {
        backend.gather(lastRows, from: x, into: target.prefix(lastRows.count))
    }
}

extension SequenceModel {
    /// The mean over the channels of e^(−ω ⊙ φ(Δ)), the share of the last layer's state that is left when the model is asked this long after the last
    /// event. The model must have time.
    package func meanFading(after seconds: Double) -> Double {
        let fade = doubles("layers.\(configuration.layerCount - 1).fade")
        let rates = TimeFeatures.rates(channels: fade.columns)
        let gap = max(TimeFeatures.shortestGap, seconds)
        let shares = rates.enumerated().map { TimeFeatures.share(fading: fade[0, $0], after: gap, $1) }
        return shares.reduce(0, +) / Double(shares.count)
    }
}
