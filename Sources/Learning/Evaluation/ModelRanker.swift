import Dispatch
public import Identifiers
public import Interactions
public import Models
import Synchronization
import Tensors

/// Ranks targets by a model's scores of all items.
public struct ModelRanker: Ranker {
    public var name: String {
        switch model.configuration.mixer {
        case .bdlru: "RecBLR"
        case .attention: "Attention"
        case .lru: "LRU"
        }
    }
    private let model: SequenceModel
    private let items: ItemMapping?
    private let maximumLength: Int?
    private let threads: Int
    /// The largest number of events that a thread encodes in one pass.
    private static let batchTokens = 2048

    /// Only the last `maximumLength` events of a history are encoded; nil encodes all of them. (A model that was trained on the last 200
    /// events can rank differently after all of them: docs/design.md, "Traps".)
    ///
    /// `items` maps the dataset's items to the model's; nil where they are the same. Items of a history that the model does not know are
    /// skipped. A case is a miss where the model does not know the target, or no item of the history.
    public init(_ model: SequenceModel, items: ItemMapping? = nil, maximumLength: Int? = nil, threads: Int) {
        self.model = model
        self.items = items
        self.maximumLength = maximumLength
        self.threads = max(1, threads)
    }

    /// O(events · (D·H) + cases · V · D). The same ranks for any number of threads.
    public func rank(_ cases: [EvaluationCase], in dataset: Dataset) throws(EvaluationError) -> [CaseRanks] {
        guard items != nil || model.configuration.itemCount == dataset.itemCount else {
            throw .itemCount(model: model.configuration.itemCount, dataset: dataset.itemCount)
        }
        let batches = self.batches(cases)
        let bound = ScoreBound(model)
        let next = Atomic<Int>(0)
        let results = Mutex<[CaseRanks]>(Array(repeating: .miss, count: cases.count))
        let failure = Mutex<EvaluationError?>(nil)
        DispatchQueue.concurrentPerform(iterations: min(threads, max(1, batches.count))) { _ in
            let encoder = SequenceEncoder(
                model, tokens: Self.batchTokens, sequences: batches.map(\.count).max() ?? 1)
            while failure.withLock({ $0 == nil }) {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < batches.count else { break }
                do throws(EvaluationError) {
                    let ranks = try rank(batches[index].map { cases[$0] }, dataset, encoder, bound)
                    results.withLock { for (position, rank) in zip(batches[index], ranks) { $0[position] = rank } }
                } catch { failure.withLock { $0 = error } }
            }
        }
        if let failure = model.backend.failure { throw .device(failure) }
        if let failure = failure.withLock(\.self) { throw failure }
        return results.withLock(\.self)
    }

    private func length(_ history: Int) -> Int { min(history, maximumLength ?? history) }

    /// Batches of positions of cases, sorted by the length of their histories.
    private func batches(_ cases: [EvaluationCase]) -> [[Int]] {
        var batches: [[Int]] = []
        var (batch, tokens): ([Int], Int) = ([], 0)
        for index in cases.indices.sorted(by: { (cases[$0].position, $0) > (cases[$1].position, $1) }) {
            let size = length(cases[index].position)
            if tokens + size > Self.batchTokens, !batch.isEmpty {
                batches.append(batch)
                (batch, tokens) = ([], 0)
            }
            batch.append(index)
            tokens += size
        }
        return batch.isEmpty ? batches : batches + [batch]
    }

    /// The history and the target in the model's items; nil where the model knows none or the target not.
    private func input(_ evaluationCase: EvaluationCase, _ dataset: Dataset) -> (history: [ItemID], target: ItemID)? {
        let history = dataset.sequence(ofUser: evaluationCase.user, 0..<evaluationCase.position)
        let target = dataset.item(ofUser: evaluationCase.user, at: evaluationCase.position)
        guard let items else { return (history, target) }
        let known = items.known(history)
        return known.isEmpty ? nil : items[target].map { (known, $0) }
    }

    /// A history longer than a batch is a batch of its own, encoded in chunks.
    private func encode(_ batch: PackedBatch, _ encoder: SequenceEncoder) throws(HistoryError) -> Tensor {
        guard batch.tokenCount > Self.batchTokens else { return try encoder.hidden(after: batch) }
        var state = model.initialState()
        return try encoder.hidden(advancing: &state, by: batch.items)
    }

    private func rank(
        _ cases: [EvaluationCase], _ dataset: Dataset, _ encoder: SequenceEncoder, _ bound: ScoreBound
    ) throws(EvaluationError) -> [CaseRanks] {
        let inputs = cases.map { input($0, dataset) }
        let known = inputs.compactMap(\.self)
        if known.isEmpty { return inputs.map { _ in .miss } }
        let (hidden, repeats): (Tensor, SparseBias?)
        do throws(HistoryError) {
            hidden = try encode(PackedBatch(known.map { $0.history.suffix(length($0.history.count)) }), encoder)
            repeats = try model.repeatBias(after: known.map(\.history))
        } catch { throw .history(error) }
        guard bound.holds(for: hidden) else { throw .notANumber(model: name) }
        let counts = model.backend.rank(
            hidden, table: model.itemTable, targets: model.backend.indices(known.map { Int32($0.target.row) }),
            bias: repeats, seen: known.map { seenItems($0.history).map { Int32($0.row) } })
        guard let counts else { throw .notANumber(model: name) }
        var ranks = counts.map { CaseRanks(unmasked: Int($0.all) + 1, masked: Int($0.masked) + 1) }.makeIterator()
        return inputs.map { $0 == nil ? .miss : ranks.next() ?? .miss }
    }
}
