import CPUBackend
import Foundation
import Identifiers
import Interactions
import Layers
import Models
import Tensors
import Training

/// Sequences of an order-2 Markov chain over `items` items: after (a, b) comes one favourite item with probability
/// `certainty`, otherwise any item, all equally likely.
struct MarkovChain {
    let items: Int
    let certainty: Double

    func favourite(after a: ItemID, _ b: ItemID) -> ItemID {
        let (a, b) = (a.row + 1, b.row + 1)
        return ItemID(row: (a * 5 + b * 3 + a * b) % items)
    }

    private func anyItem(_ generator: inout SeededGenerator) -> ItemID {
        ItemID(rawValue: .random(in: 1...Int32(items), using: &generator))
    }

    /// An upper bound of the hit rate at rank 1.
    var bestHitRate: Double { certainty + (1 - certainty) / Double(items) }

    func dataset(users: Int, length: Int, seed: UInt64) -> Dataset {
        var generator = SeededGenerator(seed: seed)
        let sequences = (0..<users).map { _ in
            var sequence = (0..<2).map { _ in anyItem(&generator) }
            while sequence.count < length {
                let isFavourite = generator.uniform() < certainty
                let next = favourite(after: sequence[sequence.count - 2], sequence[sequence.count - 1])
                sequence.append(isFavourite ? next : anyItem(&generator))
            }
            return sequence
        }
        return Dataset(sequences: sequences, itemCount: items)
    }
}

/// Random sequences of 3 to 40 events.
func randomDataset(users: Int = 60, items: Int = 23, seed: UInt64 = 4) -> Dataset {
    var generator = SeededGenerator(seed: seed)
    let sequences = (0..<users).map { _ in
        (0..<Int.random(in: 3...40, using: &generator)).map { _ in
            ItemID(rawValue: .random(in: 1...Int32(items), using: &generator))
        }
    }
    return Dataset(sequences: sequences, itemCount: items)
}

func randomSequences(_ lengths: [Int], items: Int, seed: UInt64) -> [[ItemID]] {
    var generator = SeededGenerator(seed: seed)
    return lengths.map { length in
        (0..<length).map { _ in ItemID(rawValue: .random(in: 1...Int32(items), using: &generator)) }
    }
}

func smallShape(items: Int) -> ModelConfiguration {
    var shape = ModelConfiguration(itemCount: items)
    shape.hiddenSize = 16
    shape.layerCount = 1
    return shape
}

func temporaryFolder() throws -> URL {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("recblr-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url
}

extension TrainingOutcome {
    /// Thrown where a run does not finish.
    struct Unfinished: Error {}

    /// The model and the record of a run that must have come to its end.
    func finished() throws(Unfinished) -> (model: SequenceModel, record: TrainingRecord) {
        guard case .finished(let model, let record) = self else { throw Unfinished() }
        return (model, record)
    }
}

/// Trains to the end; the flat weights that were kept.
func trainedWeights(
    _ data: Dataset, _ options: TrainingOptions, folder: URL? = nil, resuming: Bool = false
) throws -> [Float] {
    let trainer = try Trainer(
        data, .leaveOneOut(data), smallShape(items: data.itemCount), options, backend: CPUBackend(),
        checkpointFolder: folder)
    let model = try trainer.run(resuming: resuming).finished().model
    return model.backend.download(model.weights.flat)
}
