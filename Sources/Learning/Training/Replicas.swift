import Dispatch
import Layers
import Models
import Tensors

/// Data parallelism on one machine: threads that share a model's weights, each with its own workspace and gradients. A GPU is one replica.
final class Replicas: @unchecked Sendable {
    let model: SequenceModel
    let gradients: GradientSum
    private let teachers: [SequenceModel]
    private var learners: [Learner?]
    /// The sums of losses of each replica. Between steps the first has the sum of all.
    private let lossSums: [LossSum]
    /// The largest number of events of one pass of a replica.
    private var capacity = 0

    init(_ model: SequenceModel, teachers: [SequenceModel] = [], count: Int) {
        (self.model, self.teachers) = (model, teachers)
        gradients = GradientSum((0..<count).map { _ in model.makeGradients() }, on: model.backend)
        learners = Array(repeating: nil, count: count)
        lossSums = (0..<count).map { _ in model.backend.allocateSum() }
    }

    var count: Int { learners.count }

    /// The sum of the losses of all steps since it was last set. Reading it waits for a queued device.
    var lossSum: Double {
        get { model.backend.read(lossSums[0]) }
        set { model.backend.write(newValue, to: lossSums[0]) }
    }

    /// Makes workspaces for batches of this size.
    func reserve(tokens: Int, sequences: Int) {
        capacity = tokens
        // The old ones are freed first, so that the new ones reuse their memory at the same addresses.
        learners = learners.map { _ in nil }
        for index in learners.indices {
            learners[index] = Learner(model, teachers: teachers, tokens: tokens, sequences: sequences)
        }
    }

    /// Computes the gradients of a step as ``learn(_:_:)`` does and calls `update`. All of it is one graph where a single replica processes
    /// each batch in one pass. Several record a graph each: who records keeps other threads from the device, so nobody may wait for
    /// them meanwhile.
    func step(_ batches: [[TrainingBatch]], _ dropout: DropoutSettings, update: () -> Void) {
        func learnAndUpdate() {
            learn(batches, dropout)
            update()
        }
        count == 1 && fits(batches[0]) ? model.backend.recordAsGraph(learnAndUpdate) : learnAndUpdate()
    }

    /// Whether each of these batches is processed in one pass, so that no states have to be read within the step.
    private func fits(_ batches: [TrainingBatch]) -> Bool {
        batches.allSatisfy { $0.sequences.tokenCount <= capacity }
    }

    /// Runs forward and backward passes of all replicas in parallel: computes the gradients of the mean loss and adds to ``lossSum``.
    func learn(_ batches: [[TrainingBatch]], _ dropout: DropoutSettings) {
        let targets = batches.joined().reduce(0) { $0 + $1.targetCount }
        let scale = 1 / Float(max(1, targets))
        DispatchQueue.concurrentPerform(iterations: count) { index in
            func learn() {
                for batch in batches[index] {
                    learners[index]!.learn(
                        batch, dropout: dropout.rate > 0 ? dropout : nil, scale: scale, into: gradients.parts[index],
                        addingTo: lossSums[index])
                }
            }
            fits(batches[index]) ? model.backend.recordAsGraph(learn) : learn()
        }
        for other in lossSums.dropFirst() {
            lossSum += model.backend.read(other)
            model.backend.write(0, to: other)
        }
    }
}
