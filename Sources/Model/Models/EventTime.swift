/// The times of one event, for a model that uses them: whole seconds since 1970-01-01 UTC.
package struct EventTime: Sendable, Equatable {
    /// When the event happened.
    package var event: Int64
    /// When the user's event before it happened; nil for the first of a history.
    package var before: Int64?
    /// When it is asked what comes after the event; nil where it is asked at the event itself, and nothing is known of the time since.
    package var question: Int64?

    package init(_ event: Int64, before: Int64?, question: Int64? = nil) {
        (self.event, self.before, self.question) = (event, before, question)
    }

    /// The whole seconds of a time in nanoseconds, rounded down: a model tells times apart by no less.
    package static func seconds(ofNanoseconds time: Int64) -> Int64 {
        time.quotientAndRemainder(dividingBy: 1_000_000_000).quotient - (time < 0 && time % 1_000_000_000 != 0 ? 1 : 0)
    }

    /// Consecutive events of one history, given their times in nanoseconds, and the time at which it is asked what comes after the last of them.
    package static func history(_ nanoseconds: some Sequence<Int64>, question: Int64? = nil) -> [EventTime] {
        var times = history(seconds: nanoseconds.map(seconds))
        if let question, !times.isEmpty { times[times.count - 1].question = seconds(ofNanoseconds: question) }
        return times
    }

    /// The same, given whole seconds.
    package static func history(seconds: some Sequence<Int64>) -> [EventTime] {
        var before: Int64?
        return seconds.map { time in
            defer { before = time }
            return EventTime(time, before: before)
        }
    }
}

extension RecurrentState {
    /// Floats at the end of the state of a model with time that say when the user's last event happened: the day since 1970 and the second of
    /// the day, two whole numbers that single precision holds exactly; −1 for the second before any event.
    package static let timeSize = 2

    /// When the last event of a state of a model with time happened, in seconds; nil before any event.
    package var lastTime: Int64? { Self.time(of: values.suffix(Self.timeSize)) }

    /// The two numbers for a time.
    package static func numbers(of time: Int64?) -> [Float] {
        guard let time else { return [0, -1] }
        let day = (time - (time % 86_400 + 86_400) % 86_400) / 86_400
        return [Float(day), Float(time - day * 86_400)]
    }

    /// The time of the user's last event in seconds, given the two numbers; nil before any event.
    static func time(of numbers: some Collection<Float>) -> Int64? {
        let numbers = Array(numbers)
        return numbers[1] < 0 ? nil : Int64(numbers[0]) * 86_400 + Int64(numbers[1])
    }

    /// Whether two numbers are a time, or none.
    static func areTime(_ numbers: some Collection<Float>) -> Bool {
        let numbers = Array(numbers)
        return numbers.allSatisfy { $0 == $0.rounded() } && numbers[0].magnitude < 0x1p24
            && (-1..<86_400).contains(numbers[1])
    }
}
