/// A summary of a dataset's times.
public struct TimeSummary: Sendable, Codable, Equatable {
    /// Their interpretation in words.
    public var meaning: String
    /// Whether they are dates rather than ordinal numbers.
    public var areDates: Bool
    /// The first and the last, nanoseconds since 1970.
    public var first = Int64.max, last = Int64.min
    /// Events with the same user and time as another: they are in file order.
    public var tiedEvents = 0
    /// Events with the same user, item and time as an earlier event.
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
