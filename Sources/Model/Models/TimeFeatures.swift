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
enum TimeFeatures {
    /// The shortest gap, in seconds; shorter ones count as this. Otherwise gaps of 0 would betray which events were entered in one batch.
    static let shortestGap = 60.0
    /// The longest timescale: a year.
    static let longestTimescale = 365.25 * 86_400
    /// The number of hat functions of b(Δ).
    static let hats = 10
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

    /// 1 / τ of each channel, per second: τ from a minute to a year, evenly spaced in its logarithm.
    static func rates(channels: Int) -> [Float] {
        (0..<channels).map { channel in
            let place = channels == 1 ? 0 : Double(channel) / Double(channels - 1)
            return Float(1 / (shortestGap * pow(longestTimescale / shortestGap, place)))
        }
    }
}

/// The times of a workspace's batch in a backend's memory.
struct TimeMemory {
    private let events, reads: Tensor
    private let eventHats, questions: Tensor
    /// The rows of the last events of the sequences.
    private let lastRows: Indices
    private let backend: any Backend

    init(tokens: Int, sequences: Int, on backend: any Backend) {
        (events, reads) = (backend.tensor(1, tokens), backend.tensor(1, tokens))
        eventHats = backend.tensor(tokens, TimeFeatures.hats)
        questions = backend.tensor(tokens, TimeFeatures.questionSize)
        lastRows = backend.allocateIndices(sequences).indices
        self.backend = backend
    }

    /// Copies the times of a batch.
    func load(_ times: [EventTime], starts: [Int32]) {
        backend.upload(times.map { Float(TimeFeatures.gap(from: $0.before, to: $0.event)) }, to: events)
        backend.upload(times.map { Float(TimeFeatures.gap(from: $0.event, to: $0.question)) }, to: reads)
        backend.upload(times.flatMap(TimeFeatures.event), to: eventHats)
        backend.upload(times.flatMap(TimeFeatures.question), to: questions)
        backend.upload(starts.dropFirst().map { max(0, $0 - 1) }, to: lastRows)
    }

    /// The times for the mixers of a pass over `tokens` events; with those of the questions for the last layer.
    func pass(_ tokens: Int, isLastLayer: Bool) -> PassTimes {
        PassTimes(
            events: events.columns(0..<tokens), reads: isLastLayer ? reads.columns(0..<tokens) : nil,
            eventHats: eventHats.prefix(tokens))
    }

    /// What describes the questions of a pass: [N, 14].
    func questions(_ tokens: Int) -> Tensor { questions.prefix(tokens) }

    /// Copies the row of each sequence's last event.
    func copyLastRows(of x: Tensor, sequences: Int, to target: Tensor) {
        backend.gather(lastRows.prefix(sequences), from: x, into: target.prefix(sequences))
    }
}
