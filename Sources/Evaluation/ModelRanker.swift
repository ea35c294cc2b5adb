import Dispatch
import Interactions
import RecBLR
import Synchronization
import Tensors

/// Ranks by a model's scores of all items.
public struct ModelRanker: Ranker {
    public let name = "RecBLR"
    private let model: Model
    private let maximumLength: Int?
    private let threads: Int
    /// Events that one thread encodes at a time.
    private static let batchTokens = 2048

    /// Histories longer than `maximumLength` are cut to their last events; nil keeps them whole (training on the last
    /// 200 events and asking with all of them are two things: DESIGN 2.2).
    public init(_ model: Model, maximumLength: Int? = nil, threads: Int) {
        self.model = model
        self.maximumLength = maximumLength
        self.threads = max(1, threads)
    }

    /// O(events · (D·H) + cases · V · D). The same ranks for any number of threads.
    public func rank(_ cases: [EvaluationCase], in dataset: Dataset) throws(EvaluationError) -> [CaseRanks] {
        guard model.configuration.itemCount == dataset.itemCount else {
            throw .itemCount(model: model.configuration.itemCount, dataset: dataset.itemCount)
        }
        let batches = self.batches(cases)
        let next = Atomic<Int>(0)
        let results = Mutex<[CaseRanks?]>(Array(repeating: nil, count: cases.count))
        DispatchQueue.concurrentPerform(iterations: min(threads, max(1, batches.count))) { _ in
            let encoder = Encoder(
                model, tokens: Self.batchTokens, sequences: batches.map(\.count).max() ?? 1)
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < batches.count else { break }
                let ranks = rank(batches[index].map { cases[$0] }, dataset, encoder)
                results.withLock { results in
                    for (position, rank) in zip(batches[index], ranks ?? []) { results[position] = rank }
                }
            }
        }
        if let failure = model.backend.failure { throw .device(failure) }
        let ranks = results.withLock { $0.compactMap(\.self) }
        guard ranks.count == cases.count else { throw .notANumber(model: name) }
        return ranks
    }

    private func length(_ history: Int) -> Int { min(history, maximumLength ?? history) }

    /// Positions of cases, in groups that fill a batch; cases of like length together.
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

    /// A history longer than a batch goes alone, piece by piece.
    private func encode(_ batch: PackedBatch, _ encoder: Encoder) -> Tensor {
        guard batch.tokenCount > Self.batchTokens else { return encoder.encode(batch) }
        var state = model.initialState()
        return encoder.advance(&state, by: batch.items)
    }

    private func rank(_ cases: [EvaluationCase], _ dataset: Dataset, _ encoder: Encoder) -> [CaseRanks]? {
        var batch = PackedBatch()
        var (targets, seen): ([Int32], [[Int32]]) = ([], [])
        var histories: [ArraySlice<Int32>] = []
        for question in cases {
            let history = dataset.sequence(ofUser: question.user, 0..<question.position)
            batch.append(history.suffix(length(history.count)))
            targets.append(dataset.item(ofUser: question.user, at: question.position) - 1)
            histories.append(history[...])
            seen.append(seenItems(history).map { $0 - 1 })
        }
        let hidden = encode(batch, encoder)
        let repeats = model.repeatBias(after: histories)
        let indices = model.backend.allocateIndices(targets.count)
        model.backend.upload(targets, to: indices.indices)
        let counts = withExtendedLifetime((indices, repeats)) {
            model.backend.rank(
                hidden, table: model.itemTable, targets: indices.indices, bias: repeats?.bias, seen: seen)
        }
        return counts?.map { CaseRanks(unmasked: Int($0.all) + 1, masked: Int($0.masked) + 1) }
    }
}
