import Identifiers
import Models
import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads more than ranks from hidden vectors: probabilities and the best items.
struct DetailReader {
    private let model: SequenceModel
    private let ranked: any RankedTable

    /// What one vector says, in the model's items.
    struct Details {
        var crossEntropy: Double
        /// Σ softmax over the history's distinct items.
        var seen: Double
        var unmasked, masked: [ItemID]
    }

    init(_ model: SequenceModel) {
        self.model = model
        ranked = model.backend.ranked(model.itemTable)
    }

    /// The details of hidden vectors [N, D]. `seen` are the rows of the items of each history.
    func read(_ hidden: Tensor, _ bias: SparseBias?, _ targets: [Int32], _ seen: [[Int32]]) -> [Details] {
        let losses = model.backend.crossEntropies(
            hidden, table: model.itemTable, targets: model.backend.indices(targets), bias: bias)
        let unmasked = ranked.best(hidden, bias: bias, choices: seen.map { _ in RowChoice(ListCounts.length) })
        let masked = ranked.best(
            hidden, bias: bias, choices: seen.map { RowChoice(ListCounts.length, of: .allExcept($0)) })
        let additions = bias.map { BiasAdditions($0, on: model.backend) }
        func items(_ rows: [ScoredRow]) -> [ItemID] { rows.map { ItemID(row: Int($0.row)) } }
        return losses.indices.map { n in
            let scores = scores(hidden.rows(n..<n + 1), of: seen[n] + [targets[n]], additions?.ofRow(n) ?? [:])
            // log Σ exp(score) of all items is the target's score and its cross-entropy.
            let normalizer = scores[seen[n].count] + Double(losses[n])
            return Details(
                crossEntropy: Double(losses[n]), seen: scores.dropLast().reduce(0) { $0 + exp($1 - normalizer) },
                unmasked: items(unmasked[n]), masked: items(masked[n]))
        }
    }

    /// The scores of some rows of the table after one hidden vector [1, D].
    private func scores(_ hidden: Tensor, of rows: [Int32], _ additions: [Int32: Float]) -> [Double] {
        let backend = model.backend
        let table = backend.tensor(rows.count, hidden.columns)
        backend.gather(backend.indices(rows), from: model.itemTable, into: table)
        let scores = backend.tensor(1, rows.count)
        backend.multiply(hidden, transposed: false, table, transposed: true, into: scores, accumulate: false)
        return zip(rows, backend.download(scores)).map { Double($1 + (additions[$0] ?? 0)) }
    }
}

/// The content of a ``SparseBias``, wherever it lies.
private struct BiasAdditions {
    private let starts, columns, kinds: [Int32]
    private let values: [Float]

    init(_ bias: SparseBias, on backend: any Backend) {
        (starts, columns) = (backend.download(bias.starts), backend.download(bias.columns))
        kinds = backend.download(bias.kinds)
        values = backend.download(bias.values).map { bias.scale * $0 }
    }

    /// What is added to each table row's score in row n.
    func ofRow(_ n: Int) -> [Int32: Float] {
        let range = Int(starts[n])..<Int(starts[n + 1])
        return Dictionary(zip(columns[range], kinds[range].map { values[Int($0)] })) { $1 }
    }
}
