import CPUBackend
import EmulatedGPU
import Interactions
import Layers
import Models
import Tensors
import Testing

@testable import Training

/// Several replicas take a step as one does, on a processor and on a device, of which only one thread records at a time.
@Suite struct ReplicaStepTests {
    private static let backends: [any Backend] = [CPUBackend(precision: .float32)] + TestGPU.backends

    @Test(arguments: backends.indices, [nil, 0.01] as [Float?]) func stepsOfSeveral(backend: Int, clipNorm: Float?)
        throws
    {
        let data = randomDataset(users: 30)
        let (loss, weights) = try steps(data, replicas: 1, clipNorm, on: Self.backends[backend])
        let (ownLoss, ownWeights) = try steps(data, replicas: 3, clipNorm, on: Self.backends[backend])
        #expect(loss > 0 && abs(ownLoss - loss) < 1e-5 * loss)
        #expect(zip(ownWeights, weights).allSatisfy { abs($0 - $1) < 2e-4 })
    }

    /// Three steps over the same events, dealt to this many replicas; the sum of the losses, and the weights.
    private func steps(
        _ data: Dataset, replicas count: Int, _ clipNorm: Float?, on backend: any Backend
    ) throws -> (loss: Double, weights: [Float]) {
        let model = try SequenceModel(initializing: smallShape(items: data.itemCount), seed: 1, on: backend)
        let (replicas, optimizer) = (Replicas(model, count: count), Optimizer(model))
        replicas.reserve(tokens: 200, sequences: 50)
        for number in 1...3 {
            let batches = (0..<6).map { part in
                let sequence = Array(
                    data.sequence(ofUser: number * 6 + part, 0..<data.length(ofUser: number * 6 + part)))
                var batch = TrainingBatch(PackedBatch([sequence]), targets: sequence)
                batch.tokenNumbers = sequence.indices.map { Int32(50 * part + $0) }
                return batch
            }
            let dealt = (0..<count).map { replica in
                batches.indices.filter { $0 % count == replica }.map { batches[$0] }
            }
            let adam = AdamStep(number: number, learningRate: 1e-3)
            replicas.step(dealt, DropoutSettings(rate: 0.2, seed: 1, step: UInt32(number))) {
                optimizer.update(
                    replicas.gradients, in: [0..<model.network.layout.count], adam, clipNorm: clipNorm)
            }
        }
        return (replicas.lossSum, backend.download(model.weights.flat))
    }
}
