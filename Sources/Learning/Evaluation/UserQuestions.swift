import Identifiers
import Interactions
import Models

/// The cases of one user that one pass over the longest of their histories answers: the model is causal, so that the pass has the hidden
/// vector after each shorter one, too. All in the model's items.
struct UserQuestions {
    /// The longest history, without items that the model does not know.
    let history: [ItemID]
    /// How many of its first events are not read.
    let unread: Int
    /// The times of its events and of the questions; empty for a model without time.
    private let times: [EventTime]
    /// By length of their histories, ascending.
    let questions: [Question]

    /// One case.
    struct Question {
        /// Its position in the list of cases.
        let index: Int
        /// Number of known events in its history, at least 1.
        let length: Int
        /// Nil where the model does not know it.
        let target: ItemID?
    }

    /// What the model reads.
    var events: ArraySlice<ItemID> { history.dropFirst(unread) }
    /// The times of these.
    var eventTimes: ArraySlice<EventTime> { times.dropFirst(unread) }

    /// The cases at `indices`, all of one user, in order of their positions. Those without a known item in their history are left out. `reading` says what
    /// a model with time is told; nil for one without.
    init(
        _ indices: [Int], of cases: [EvaluationCase], _ dataset: Dataset, _ items: ItemMapping?, maximumLength: Int?,
        reading: ModelRanker.Reading?
    ) {
        let user = cases[indices[0]].user
        var (history, length, questions): ([ItemID], Int, [Question]) = ([], 0, [])
        let events = dataset.sequence(ofUser: user, 0..<cases[indices[indices.count - 1]].position + 1)
        func known(_ events: [ItemID]) -> [ItemID] { items?.known(events) ?? events }
        for index in indices {
            let position = cases[index].position
            history += known(Array(events[length..<position]))
            length = position
            guard !history.isEmpty else { continue }
            let target = events[position]
            questions.append(
                Question(index: index, length: history.count, target: items == nil ? target : items![target]))
        }
        times = reading.map { Self.times(history.count, user, questions, cases, events, dataset, items, $0) } ?? []
        self.history = history
        self.questions = questions
        unread = max(0, history.count - (maximumLength ?? history.count))
    }

    /// The times of the first `count` known events, and of the questions.
    private static func times(
        _ count: Int, _ user: Int, _ questions: [Question], _ cases: [EvaluationCase], _ events: [ItemID],
        _ dataset: Dataset, _ items: ItemMapping?, _ reading: ModelRanker.Reading
    ) -> [EventTime] {
        let all = dataset.timestamps(ofUser: user, events.indices) ?? []
        let known = zip(events, all).compactMap { item, time in items.map { $0[item] != nil } ?? true ? time : nil }
        var times = Array(EventTime.history(known).prefix(count))
        guard reading == .requestTime else { return times }
        for question in questions {
            times[question.length - 1].question = EventTime.seconds(
                ofNanoseconds: all[cases[question.index].position])
        }
        return times
    }

    /// The cases of `cases` in groups that one pass each answers, the longest histories first. With a maximum length histories
    /// begin at different events, so that each case is a group of its own.
    static func groups(_ cases: [EvaluationCase], maximumLength: Int?) -> [[Int]] {
        let sorted = cases.indices.sorted {
            (cases[$0].user, cases[$0].position, $0) < (cases[$1].user, cases[$1].position, $1)
        }
        var groups: [[Int]] = []
        for index in sorted {
            if maximumLength == nil, let last = groups.last?.last, cases[last].user == cases[index].user {
                groups[groups.count - 1].append(index)
            } else {
                groups.append([index])
            }
        }
        return groups.sorted {
            let (a, b) = ($0[$0.count - 1], $1[$1.count - 1])
            return (cases[a].position, a) > (cases[b].position, b)
        }
    }
}

/// The distinct items of a history that grows, by row, ascending.
struct SeenRows {
    private(set) var rows: [Int32] = []
    private var length = 0

    /// Adds the events of `history` up to `length`.
    mutating func grow(to length: Int, of history: [ItemID]) {
        let new = history[self.length..<length]
        self.length = length
        guard new.count < 8, !rows.isEmpty else { return rows = Self.distinct(rows + new.map { Int32($0.row) }) }
        for item in new {
            let row = Int32(item.row)
            let place = (0..<rows.count).partitioningIndex { rows[$0] >= row }
            if place == rows.count || rows[place] != row { rows.insert(row, at: place) }
        }
    }

    private static func distinct(_ rows: [Int32]) -> [Int32] {
        var result: [Int32] = []
        for row in rows.sorted() where row != result.last { result.append(row) }
        return result
    }
}
