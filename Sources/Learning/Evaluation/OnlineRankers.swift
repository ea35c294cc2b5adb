public import Identifiers
public import Interactions

/// How often items occurred in the last 24 hours; equal counts by all events so far.
struct DayCounts: ItemCounts {
    static let name = "Popularity of the last day"
    /// In nanoseconds.
    static let day: Int64 = 86_400_000_000_000
    /// Events of the last day · 2³² + all events.
    private var board: Leaderboard
    private var recent: [(item: ItemID, time: Int64)] = []
    /// Those before it are older than a day; one of exactly 24 hours ago is not.
    private var first = 0

    init(_ sequences: some Sequence<[ItemID]>, counts: [Int]) { board = Leaderboard(counts) }

    mutating func learn(_ item: ItemID, after previous: ItemID?, at time: Int64) {
        board[item] += 1 << 32 + 1
        recent.append((item, time))
    }

    mutating func advance(to time: Int64) {
        while first < recent.count, recent[first].time < time - Self.day {
            board[recent[first].item] -= 1 << 32
            first += 1
        }
        guard first > 1000, 2 * first > recent.count else { return }
        recent.removeFirst(first)
        first = 0
    }

    func ranks(of target: ItemID, after history: [ItemID], seen: Set<ItemID>) -> CaseRanks {
        board.ranks(of: target, seen: seen)
    }

    func best(_ count: Int, after history: [ItemID], except leftOut: Set<ItemID>) -> [ItemID] {
        board.best(count) { leftOut.contains($0) }
    }
}

/// Ranks by counts that go on as events pass: every case is answered before its event is counted.
struct OnlineRanker<Counts: ItemCounts>: Ranker {
    let name: String
    let stream: EventStream

    /// O(log V) an event, and O(history) a case.
    func examine(_ cases: [EvaluationCase], in dataset: Dataset) throws(EvaluationError) -> Examination {
        var counts = Counts(stream.earlier(in: dataset), counts: stream.earlierCounts(in: dataset))
        var examination = Examination(
            ranks: [CaseRanks](repeating: .miss, count: cases.count), lists: ListCounts(itemCount: dataset.itemCount))
        var questions = casesInOrderOfTime(cases, dataset)[...]
        for event in stream.events {
            if questions.isEmpty { break }
            let item = dataset.item(ofUser: event.user, at: event.position)
            counts.advance(to: event.time)
            while let index = questions.first, event.isThat(of: cases[index]) {
                let history = dataset.sequence(ofUser: event.user, 0..<event.position)
                examination.ranks[index] = counts.answer(item, after: history, to: &examination.lists!)
                questions = questions.dropFirst()
            }
            let previous = event.position > 0 ? dataset.item(ofUser: event.user, at: event.position - 1) : nil
            counts.learn(item, after: previous, at: event.time)
        }
        precondition(questions.isEmpty, "every case is an event of the stream")
        return examination
    }
}

/// The events of a dataset from some time on, in order of time; at one time by user and then as the user's sequence has them.
struct EventStream: Sendable {
    let events: [Event]
    /// For each user the number of events before the stream.
    private let earlierCount: [Int]

    struct Event: Comparable {
        let time: Int64
        private let rawUser, rawPosition: Int32
        var user: Int { Int(rawUser) }
        var position: Int { Int(rawPosition) }

        init(time: Int64, user: Int, position: Int) {
            (self.time, rawUser, rawPosition) = (time, Int32(user), Int32(position))
        }

        func isThat(of question: EvaluationCase) -> Bool { user == question.user && position == question.position }

        static func < (a: Event, b: Event) -> Bool {
            (a.time, a.rawUser, a.rawPosition) < (b.time, b.rawUser, b.rawPosition)
        }
    }

    /// The stream that begins a day before the first of these cases. Nil where the dataset has no times, or there are no cases.
    init?(before cases: [EvaluationCase], in dataset: Dataset) {
        guard dataset.hasTimestamps,
            let first = cases.compactMap({ dataset.timestamp(ofUser: $0.user, at: $0.position) }).min()
        else { return nil }
        // Times that only say the order may be any numbers.
        let (dayBefore, overflows) = first.subtractingReportingOverflow(DayCounts.day)
        let beginning = overflows ? Int64.min : dayBefore
        var (events, counts): ([Event], [Int]) = ([], [])
        for user in 0..<dataset.userCount {
            let times = dataset.timestamps(ofUser: user) ?? []
            let start = (0..<times.count).partitioningIndex { times[$0] >= beginning }
            counts.append(start)
            for position in start..<times.count {
                events.append(Event(time: times[position], user: user, position: position))
            }
        }
        self.events = events.sorted()
        earlierCount = counts
    }

    /// The sequences of events before the stream.
    func earlier(in dataset: Dataset) -> some Sequence<[ItemID]> {
        earlierCount.indices.lazy.map { dataset.sequence(ofUser: $0, 0..<earlierCount[$0]) }
    }

    /// The number of events of each item before the stream.
    func earlierCounts(in dataset: Dataset) -> [Int] {
        var counts = [Int](repeating: 0, count: dataset.itemCount)
        for items in earlier(in: dataset) { for item in items { counts[item.row] += 1 } }
        return counts
    }
}

/// The positions of cases in the order of their events, as an ``EventStream`` has them. O(cases · log cases).
func casesInOrderOfTime(_ cases: [EvaluationCase], _ dataset: Dataset) -> [Int] {
    let events = cases.map {
        EventStream.Event(
            time: dataset.timestamp(ofUser: $0.user, at: $0.position) ?? 0, user: $0.user, position: $0.position)
    }
    return cases.indices.sorted { (events[$0], $0) < (events[$1], $1) }
}

/// In a stream the items that a model can know: those with a training event. The rows of others in its table are as they were before
/// training. Nil for all.
public func knownItems(_ dataset: Dataset, _ split: Split) -> ItemMapping? {
    guard split.isStream else { return nil }
    let counts = trainingCounts(dataset, split)
    let known = ItemMapping.identity.keeping(of: dataset.itemCount) { counts[$0.row] > 0 }
    return known.isIdentity ? nil : known
}

/// What counting would have scored in the same stream: popularity of the last 24 hours, ties by all events so far; popularity so far; and
/// transitions from the last item so far. Each event is predicted before it is counted. Where times are only an order there is no last day, and no row of
/// it. Throws without times.
public func streamBaselines(
    _ cases: [EvaluationCase], _ dataset: Dataset
) throws(EvaluationError) -> [any Ranker] {
    guard let stream = EventStream(before: cases, in: dataset) else { throw .noCases }
    let lastDay = OnlineRanker<DayCounts>(name: DayCounts.name, stream: stream)
    return (dataset.hasDates ? [lastDay] : []) + [
        OnlineRanker<PopularityCounts>(name: "\(PopularityCounts.name) so far", stream: stream),
        OnlineRanker<TransitionCounts>(name: "\(TransitionCounts.name) so far", stream: stream),
    ]
}
