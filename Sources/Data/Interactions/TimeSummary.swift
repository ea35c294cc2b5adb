/// What is known of a dataset's times.
public struct TimeSummary: Sendable, Codable, Equatable {
    /// What they were taken for, in words.
    public var meaning: String
    /// Whether they are dates; else numbers that have an order.
    public var areDates: Bool
    /// The first and the last, nanoseconds since 1970.
    public var first = Int64.max, last = Int64.min
    /// Events that share user and time with another: they stand in the order of the file.
    public var tiedEvents = 0
    /// Events whose user, item and time an earlier event has.
    public var exactDuplicates = 0
    /// Users of whom at least half of the events are tied.
    public var mostlyTiedUsers = 0

    init(_ meaning: TimeMeaning) { (self.meaning, areDates) = (meaning.text, meaning.areDates) }

    /// The days of the first and the last event, as in 2022-06-24.
    public var days: (first: String, last: String) {
        (CivilDay(nanoseconds: first).description, CivilDay(nanoseconds: last).description)
    }

    /// Counts one user's events, which are in order of time.
    mutating func add(_ rows: UnsafeMutableBufferPointer<EventRow>) {
        guard let earliest = rows.first, let latest = rows.last else { return }
        (first, last) = (min(first, earliest.time), max(last, latest.time))
        let before = tiedEvents
        forEachTie(rows) { tie in
            guard tie.count > 1 else { return }
            tiedEvents += tie.count
            exactDuplicates += tie.count - Set(tie.map(\.item)).count
        }
        if 2 * (tiedEvents - before) >= rows.count { mostlyTiedUsers += 1 }
    }
}
