import Dispatch
import Layers
import Models
import Tensors

/// The replicas of one machine: threads that share a model's weights, each with its own workspace and gradients. A device is one.
final class Replicas: @unchecked Sendable {
    let model: SequenceModel
    let gradients: GradientSum
    private var learners: [Learner?]
    /// Of each replica; of all in the first, between steps.
    private let lossSums: [LossSum]
    /// Events that go through a replica at a time.
    private var capacity = 0

    init(_ model: SequenceModel, count: Int) {
        self.model = model
        gradients = GradientSum((0..<count).map { _ in model.makeGradients() }, on: model.backend)
        learners = Array(repeating: nil, count: count)
        lossSums = (0..<count).map { _ in model.backend.allocateSum() }
    }

    var count: Int { learners.count }

    /// Sum of the losses of all steps since it was last set. Reading it waits for what is queued.
    var lossSum: Double {
        get { model.backend.read(lossSums[0]) }
        set { model.backend.write(newValue, to: lossSums[0]) }
    }

    /// Makes workspaces for batches of this size.
    func reserve(tokens: Int, sequences: Int) {
        capacity = tokens
        // The old ones go first: the new ones get their memory, at the same addresses.
        learners = learners.map { _ in nil }
        for index in learners.indices { learners[index] = Learner(model, tokens: tokens, sequences: sequences) }
    }

    /// Whether these batches go through in one pass each, so that nothing has to be read on the way.
    func fits(_ batches: [[TrainingBatch]]) -> Bool {
        batches.joined().allSatisfy { $0.sequences.tokenCount <= capacity }
    }

    /// Forward and backward of every replica's batches at once: the mean loss's gradients, and ``lossSum``.
    func learn(_ batches: [[TrainingBatch]], _ dropout: DropoutSettings) {
        let targets = batches.joined().reduce(0) { $0 + $1.targetCount }
        let scale = 1 / Float(max(1, targets))
        DispatchQueue.concurrentPerform(iterations: count) { index in
            for batch in batches[index] {
                learners[index]!.learn(
                    batch, dropout: dropout.rate > 0 ? dropout : nil, scale: scale, into: gradients.parts[index],
                    addingTo: lossSums[index])
            }
        }
        for other in lossSums.dropFirst() {
            lossSum += model.backend.read(other)
            model.backend.write(0, to: other)
        }
    }
}
