import Foundation
import Models

/// What a model with time computes of times, as `TimeFeatures` does, in single precision. Times are whole seconds since 1970-01-01 UTC.
struct TimeGraph {
    /// The time of each event since the one before [B, T, 1], and from the last event until the question [B, 1, 1], in seconds; 0 where there is none.
    let gaps, asked: Value
    /// What describes the gap before each event [B, T, 10], and the question [B, 1, 14].
    let hats, question: Value
    /// The time of each row's last event as two numbers: [B, 2].
    let state: Value
    private let rates: [Float]

    /// `state` is [B, 2], `times` [B, T], `question` [B]: before the last event's time it stands for none.
    init(_ times: Value, askedAt question: Value, state: Value, _ passage: Passage, width: Int) {
        let graph = times.graph
        rates = TimeFeatures.rates(channels: width)
        let parts = state.cast(to: .int64).split([1, 1], axis: 1)
        let (day, second) = (parts[0], parts[1])
        let zero = graph.integers([0], [])
        let earlier = (day * graph.integers([86_400], []) + second).joined(with: times, axis: 1)
            .slice(axis: 1, from: 0, to: -1)
        // The second of the day is −1 before any event; every event of the input is one.
        let isThere = second.isAtLeast(zero).joined(with: times.equals(times), axis: 1).slice(axis: 1, from: 0, to: -1)
        gaps = Self.gap(from: earlier, to: times, where: isThere).unsqueezed(2)
        hats = Self.hats(gaps)
        let last = passage.last(times.unsqueezed(2))  // [B, 1, 1]
        let asking = question.unsqueezed(1).unsqueezed(2)
        let isAsked = asking.isAtLeast(last)
        asked = Self.gap(from: last, to: asking, where: isAsked)
        self.question = Self.hats(asked).joined(with: Self.calendar(asking.chosen(where: isAsked, else: last)), axis: 2)
        let secondOfDay = last.remainder(86_400)
        let dayOfLast = (last - secondOfDay) / graph.integers([86_400], [])
        self.state = dayOfLast.joined(with: secondOfDay, axis: 1).reshaped([0, 2]).cast(to: .float)
    }

    /// e^(−ω ⊙ log(1 + Δ / τ)) for gaps [B, T, 1] and ω [H].
    func fading(until gaps: Value, _ fade: Value) -> Value {
        let logarithm = (gaps * gaps.graph.floats(rates, [rates.count]) + 1).logarithm()
        return (logarithm * fade).negated().exponential()
    }

    private static func gap(from earlier: Value, to later: Value, where isThere: Value) -> Value {
        let shortest = earlier.graph.integers([Int(TimeFeatures.shortestGap)], [])
        return (later - earlier).atLeast(shortest).chosen(where: isThere, else: earlier.graph.integers([0], []))
            .cast(to: .float)
    }

    /// Hat functions of log Δ for Δ [B, T, 1]: [B, T, 10]; all are 0 where Δ is 0.
    private static func hats(_ gaps: Value) -> Value {
        let (graph, last) = (gaps.graph, TimeFeatures.hats - 1)
        let shortest = Float(TimeFeatures.shortestGap)
        let scale = Float(last) / Float(log(TimeFeatures.longestTimescale / TimeFeatures.shortestGap))
        let place = ((gaps.atLeast(graph.floats([shortest], [])) * (1 / shortest)).logarithm() * scale)
            .atMost(graph.floats([Float(last)], []))
        let centres = graph.floats((0...last).map(Float.init), [last + 1])
        let isThere = graph.floats([0], []).isLess(than: gaps).cast(to: .float)
        return (1 - (place - centres).magnitude()).rectified() * isThere
    }

    /// Sine and cosine of the hour of the day and of the day of the week [B, 1, 4], of times [B, 1, 1].
    private static func calendar(_ times: Value) -> Value {
        let parts = [86_400, 7 * 86_400].flatMap { period -> [Value] in
            let angle = times.remainder(period).cast(to: .float) * (2 * .pi / Float(period))
            return [angle.sine(), angle.cosine()]
        }
        return Value.joined(parts, axis: 2)
    }
}
