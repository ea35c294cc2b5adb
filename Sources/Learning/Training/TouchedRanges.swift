import Identifiers
import Layers
import Models
import Tensors

extension SequenceModel {
    /// The ascending ranges of the flat block in which the gradients of these batches can be non-zero: everything with the full loss,
    /// otherwise the embeddings of the items that occur in them, and all parameters besides the embedding.
    func touchedRanges(by batches: some Sequence<TrainingBatch>) -> [Range<Int>] {
        var rows = RowSet(rowCount: configuration.itemCount)
        func insert(_ list: some Sequence<Int32>) { for row in list { rows.insert(row) } }
        for batch in batches {
            switch batch.negatives {
            case .all: return [0..<network.layout.count]
            case .drawn: continue  // the device knows, touchedRows(by:)
            case .shared(let samples, _): for sample in samples { insert(sample) }
            case .paired(let negatives): insert(negatives.prefix(batch.targetCount))
            }
            for item in batch.sequences.items.prefix(batch.tokenCount) { rows.insert(Int32(item.row)) }
            insert(batch.targets.prefix { $0 != TrainingBatch.noTarget })
        }
        let embedding = network.embedding.table
        let (whole, width) = (network.layout.range(of: embedding), embedding.columns)
        var ranges = [0..<whole.lowerBound]
        rows.forEach { row in
            let first = whole.lowerBound + ItemID(row: Int(row)).embeddingRow * width
            ranges.append(first..<first + width)
        }
        ranges.append(whole.upperBound..<network.layout.count)
        return ranges
    }

    /// The rows of the embedding that a device has marked in the course of a step; nil where ``touchedRanges(by:)`` has all.
    func touchedRows(by sampling: (any RowSampling)?) -> MarkedRows? {
        let embedding = network.embedding.table
        let first = network.layout.range(of: embedding).lowerBound + ItemID(row: 0).embeddingRow * embedding.columns
        return sampling.map { MarkedRows(marks: $0.marks, first: first, width: embedding.columns) }
    }
}
