import Identifiers
import Layers
import Models

extension SequenceModel {
    /// The ascending ranges of the flat block in which the gradients of these batches can be non-zero: everything with the full loss,
    /// otherwise the embeddings of the items that occur in them, and all parameters besides the embedding.
    func touchedRanges(by batches: some Sequence<TrainingBatch>) -> [Range<Int>] {
        var rows: [Int32] = []
        for batch in batches {
            switch batch.negatives {
            case .all: return [0..<network.layout.count]
            case .shared(let samples, _): rows += samples.joined()
            case .paired(let negatives): rows += negatives.prefix(batch.targetCount)
            }
            rows += batch.sequences.items.prefix(batch.tokenCount).map { Int32($0.row) }
            rows += batch.targets.prefix { $0 != TrainingBatch.noTarget }
        }
        rows.sort()
        let embedding = network.embedding.table
        let (whole, width) = (network.layout.range(of: embedding), embedding.columns)
        var ranges = [0..<whole.lowerBound]
        for row in rows {
            let first = whole.lowerBound + ItemID(row: Int(row)).embeddingRow * width
            if ranges.last!.lowerBound != first { ranges.append(first..<first + width) }
        }
        ranges.append(whole.upperBound..<network.layout.count)
        return ranges
    }
}
