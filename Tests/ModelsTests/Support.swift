import CPUBackend
import EmulatedGPU
import Foundation
import Identifiers
import Layers
import Models
import ReferenceBackend
import Tensors

/// Every backend this machine can run, the oracle first.
let backends: [any Backend] =
    [ReferenceBackend()] + InstructionSet.available.map { CPUBackend(instructionSet: $0) as any Backend }
    + TestGPU.backends

/// In the sources, or where a package of the tests has put them.
let fixtureFolder =
    ProcessInfo.processInfo.environment["RECBLR_FIXTURES"].map { URL(fileURLWithPath: $0) }
    ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/reference")

/// Largest |a − b| / max(1, |b|).
func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    precondition(a.count == b.count)
    return zip(a, b).map { ($0 - $1).magnitude / max(1, $1.magnitude) }.max() ?? 0
}

/// ‖a − b‖ / ‖b‖.
func relativeDifference(_ a: [Float], _ b: [Float]) -> Double {
    precondition(a.count == b.count)
    let difference = zip(a, b).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
    let norm = b.reduce(0.0) { $0 + pow(Double($1), 2) }
    return (difference / max(norm, 1e-30)).squareRoot()
}

func randomSequences(_ lengths: [Int], items: Int, seed: UInt64) -> [[ItemID]] {
    var generator = SeededGenerator(seed: seed)
    return lengths.map { length in
        (0..<length).map { _ in ItemID(rawValue: .random(in: 1...Int32(items), using: &generator)) }
    }
}

/// Times of consecutive events, in seconds: from none to years apart, the first one before 1970.
func randomTimes(_ count: Int, seed: UInt64) -> [Int64] {
    var generator = SeededGenerator(seed: seed)
    var time: Int64 = -1_000_000
    return (0..<count).map { _ in
        time += Int64(exp(22 * generator.uniform()) - 1)
        return time
    }
}

/// Sequences with times, each event of which is asked at the next one's time, at a later one, or at its own.
func timedBatch(_ sequences: [[ItemID]], seed: UInt64) -> PackedBatch {
    var batch = PackedBatch()
    for (index, sequence) in sequences.enumerated() {
        var times = EventTime.history(seconds: randomTimes(sequence.count + 1, seed: seed &+ UInt64(index)))
        for row in sequence.indices where row % 3 > 0 { times[row].question = times[row + 1].event }
        batch.append(sequence, times: times.dropLast())
    }
    return batch
}

extension SequenceModel {
    /// A small model whose weights have all been moved off their initial values.
    static func perturbed(_ configuration: ModelConfiguration, seed: UInt64 = 1, on backend: any Backend)
        -> SequenceModel
    {
        let model = try! SequenceModel(initializing: configuration, seed: seed, on: backend)
        var generator = SeededGenerator(seed: seed &+ 99)
        let values = model.backend.download(model.weights.flat)
        var moved = values
        for entry in model.weights.layout.entries {
            let skip = entry.name == "item_embedding" ? configuration.hiddenSize : 0
            for i in skip..<entry.rows * entry.columns { moved[entry.offset + i] += Float(0.2 * generator.normal()) }
            guard entry.isNonnegative else { continue }
            for i in 0..<entry.count { moved[entry.offset + i] = abs(moved[entry.offset + i]) }
        }
        model.backend.upload(moved, to: model.weights.flat)
        return model
    }
}
