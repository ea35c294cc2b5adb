import Dispatch
import Foundation
public import Identifiers
public import Interactions
public import Models
import Synchronization
import Tensors

/// Ranks targets by a model's scores of all items.
public struct ModelRanker: Ranker {
    /// What a model with time is told of when a case is asked.
    public enum Reading: String, Sendable, Codable, CaseIterable {
        /// Nothing beyond the times of the history: it is read at the time of its last event.
        case pastTimes = "past times only"
        /// When the target happens, which a server knows: it is asked then.
        case requestTime = "with the request's time"
    }

    public var name: String {
        switch model.configuration.mixer {
        case .bdlru where model.configuration.usesTime: "RecBLR, \(reading.rawValue)"
        case .bdlru: "RecBLR"
        case .attention: "Attention"
        case .lru: "LRU"
        }
    }
    private let model: SequenceModel
    private let items: ItemMapping?
    private let maximumLength: Int?
    private let reading: Reading
    private let threads: Int
    /// The largest number of events that a thread encodes in one pass.
    private static let batchTokens = 2048
    /// The largest number of cases that are ranked at once.
    private static let batchRows = 64

    /// Only the last `maximumLength` events of a history are encoded; nil encodes all of them. (A model that was trained on the last 200
    /// events can rank differently after all of them: docs/design.md, "Traps".)
    ///
    /// `items` maps the dataset's items to the model's; nil where they are the same. Items of a history that the model does not know are
    /// skipped. A case is a miss where the model does not know the target, or no item of the history.
    public init(
        _ model: SequenceModel, items: ItemMapping? = nil, maximumLength: Int? = nil, reading: Reading = .pastTimes,
        threads: Int
    ) {
        self.reading = reading
        self.model = model
        self.items = items
        self.maximumLength = maximumLength
        self.threads = max(1, threads)
    }

    /// What the model is told of time; nil where it knows nothing of it.
    private var timedReading: Reading? { model.configuration.usesTime ? reading : nil }

    /// O(events · (D·H) + cases · V · D), where a user's events are read once for all cases of that user (with a maximum length once a
    /// case). The same ranks for any number of threads.
    public func rank(_ cases: [EvaluationCase], in dataset: Dataset) throws(EvaluationError) -> [CaseRanks] {
        try examine(cases, in: dataset, nil).ranks
    }

    /// The same with probabilities and the ten best items, in some four times the time. O(V · D) memory beside.
    public func examine(_ cases: [EvaluationCase], in dataset: Dataset) throws(EvaluationError) -> Examination {
        try examine(cases, in: dataset, shouldStop: { false })
    }

    /// The same until `shouldStop` says so, which is asked on the caller's thread after every batch of this thread. Throws
    /// ``EvaluationError/stopped`` then.
    public func examine(
        _ cases: [EvaluationCase], in dataset: Dataset, shouldStop: @Sendable () -> Bool
    ) throws(EvaluationError) -> Examination {
        try examine(cases, in: dataset, DetailReader(model), shouldStop: shouldStop)
    }

    private func examine(
        _ cases: [EvaluationCase], in dataset: Dataset, _ details: DetailReader?,
        shouldStop: @Sendable () -> Bool = { false }
    ) throws(EvaluationError) -> Examination {
        guard items != nil || model.configuration.itemCount == dataset.itemCount else {
            throw .itemCount(model: model.configuration.itemCount, dataset: dataset.itemCount)
        }
        if model.configuration.usesTime { try dataset.requireDates() }
        let batches = self.batches(cases)
        let bound = ScoreBound(model)
        let next = Atomic<Int>(0)
        let results = Mutex(Examination(missing: cases.count, details == nil ? nil : model.configuration.itemCount))
        let failure = Mutex<EvaluationError?>(nil)
        let caller = ObjectIdentifier(Thread.current)
        DispatchQueue.concurrentPerform(iterations: min(threads, max(1, batches.count))) { _ in
            let encoder = SequenceEncoder(
                model, tokens: Self.batchTokens, sequences: batches.map(\.count).max() ?? 1)
            while failure.withLock({ $0 == nil }) {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < batches.count else { break }
                let users = batches[index].map {
                    UserQuestions($0, of: cases, dataset, items, maximumLength: maximumLength, reading: timedReading)
                }
                do throws(EvaluationError) {
                    try answer(users.filter { !$0.questions.isEmpty }, encoder, bound, details, results)
                    // The caller's thread is one of those that compute.
                    if ObjectIdentifier(Thread.current) == caller, shouldStop() { throw .stopped }
                } catch { failure.withLock { $0 = error } }
            }
        }
        if let failure = model.backend.failure { throw .device(failure) }
        if let failure = failure.withLock(\.self) { throw failure }
        return results.withLock(\.self).inItems(of: dataset, items)
    }

    /// Batches of users' cases, which are given by their positions, sorted by the length of their histories.
    private func batches(_ cases: [EvaluationCase]) -> [[[Int]]] {
        var batches: [[[Int]]] = []
        var (batch, tokens): ([[Int]], Int) = ([], 0)
        // Two questions after the same known events, at different times, need a pass each.
        let isAlone = timedReading == .requestTime && items != nil
        for group in UserQuestions.groups(cases, maximumLength: isAlone ? maximumLength ?? .max : maximumLength) {
            let longest = cases[group[group.count - 1]].position
            let size = min(longest, maximumLength ?? longest)
            if tokens + size > Self.batchTokens, !batch.isEmpty {
                batches.append(batch)
                (batch, tokens) = ([], 0)
            }
            batch.append(group)
            tokens += size
        }
        return batch.isEmpty ? batches : batches + [batch]
    }

    /// Encodes a batch and answers its questions. A history longer than a batch is a batch of its own, encoded in pieces.
    private func answer(
        _ users: [UserQuestions], _ encoder: SequenceEncoder, _ bound: ScoreBound, _ details: DetailReader?,
        _ results: borrowing Mutex<Examination>
    ) throws(EvaluationError) {
        guard !users.isEmpty else { return }
        var batch = PackedBatch()
        for user in users { batch.append(user.events, times: user.eventTimes) }
        guard batch.tokenCount > Self.batchTokens else {
            let hidden = try readable { () throws(HistoryError) in try encoder.hidden(atAllPositionsOf: batch) }
            let rows = zip(users, batch.starts).flatMap { user, start in
                user.rows(0..<user.events.count, firstRow: Int(start))
            }
            return try answer(rows, hidden, bound, details, results)
        }
        var states = [model.initialState()]
        for start in stride(from: 0, to: users[0].events.count, by: Self.batchTokens) {
            let events = users[0].events.dropFirst(start).prefix(Self.batchTokens)
            let range = start..<start + events.count
            var piece = PackedBatch()
            piece.append(events, times: users[0].eventTimes.dropFirst(start).prefix(Self.batchTokens))
            let hidden = try readable { () throws(HistoryError) in
                try encoder.hiddenAtAllPositions(advancing: &states, by: piece)
            }
            try answer(users[0].rows(range, firstRow: 0), hidden, bound, details, results)
        }
    }

    private func answer(
        _ rows: [QuestionRow], _ hidden: Tensor, _ bound: ScoreBound, _ details: DetailReader?,
        _ results: borrowing Mutex<Examination>
    ) throws(EvaluationError) {
        let backend = model.backend
        for start in stride(from: 0, to: rows.count, by: Self.batchRows) {
            let own = rows[start..<min(start + Self.batchRows, rows.count)]
            let vectors = backend.tensor(own.count, hidden.columns)
            backend.gather(backend.indices(own.map(\.row)), from: hidden, into: vectors)
            guard bound.holds(for: vectors) else { throw .notANumber(model: name) }
            let repeats = try readable { () throws(HistoryError) in try model.headBias(after: own.map(\.history)) }
            // A target that the model does not know is a miss, whatever is counted here.
            let targets = own.map { Int32($0.question.target?.row ?? 0) }
            let counts = backend.rank(
                vectors, table: model.itemTable, targets: backend.indices(targets), bias: repeats,
                seen: own.map(\.seen))
            guard let counts else { throw .notANumber(model: name) }
            let more = details?.read(vectors, repeats, targets, own.map(\.seen))
            results.withLock { results in
                for (n, row) in own.enumerated() { results.add(row.question, counts[n], more?[n]) }
            }
        }
    }

    private func readable<Value>(_ body: () throws(HistoryError) -> Value) throws(EvaluationError) -> Value {
        do { return try body() } catch { throw .history(error) }
    }
}

/// A question and the row of the hidden vectors that answers it.
private struct QuestionRow {
    let question: UserQuestions.Question
    let row: Int32
    let history: ArraySlice<ItemID>
    let seen: [Int32]
}

extension UserQuestions {
    /// The questions after the events in `range`, whose hidden vectors begin at `firstRow`.
    fileprivate func rows(_ range: Range<Int>, firstRow: Int) -> [QuestionRow] {
        var seen = SeenRows()
        return questions.filter { range.contains($0.length - 1 - unread) }.map { question in
            seen.grow(to: question.length, of: history)
            return QuestionRow(
                question: question, row: Int32(firstRow + question.length - 1 - unread - range.lowerBound),
                history: history.prefix(question.length), seen: seen.rows)
        }
    }
}

extension Examination {
    /// Nothing but misses; with probabilities and lists where there is a number of items.
    fileprivate init(missing count: Int, _ itemCount: Int?) {
        ranks = [CaseRanks](repeating: .miss, count: count)
        probabilities = itemCount.map { _ in [CaseProbability](repeating: .none, count: count) }
        lists = itemCount.map(ListCounts.init(itemCount:))
    }

    fileprivate mutating func add(
        _ question: UserQuestions.Question, _ counts: RankCounts, _ details: DetailReader.Details?
    ) {
        let isKnown = question.target != nil
        if isKnown {
            ranks[question.index] = CaseRanks(unmasked: Int(counts.all) + 1, masked: Int(counts.masked) + 1)
        }
        guard let details else { return }
        probabilities?[question.index] = CaseProbability(
            crossEntropy: isKnown ? details.crossEntropy : nil, seen: details.seen)
        lists?.add(details.unmasked, details.masked)
    }

    /// With lists in the items of the dataset, and what only the model knows after them.
    fileprivate func inItems(of dataset: Dataset, _ items: ItemMapping?) -> Examination {
        guard let items, let lists else { return self }
        func renumbered(_ counts: [Int]) -> [Int] {
            var left = counts
            let own = (0..<dataset.itemCount).map { row in
                guard let item = items[ItemID(row: row)] else { return 0 }
                defer { left[item.row] = 0 }
                return counts[item.row]
            }
            return own + left.filter { $0 > 0 }
        }
        var result = self
        result.lists?.unmasked = renumbered(lists.unmasked)
        result.lists?.masked = renumbered(lists.masked)
        return result
    }
}
