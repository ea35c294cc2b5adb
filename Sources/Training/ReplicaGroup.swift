import Dispatch
import RecBLR
import Synchronization
import Tensors

/// The replicas of one machine and the optimiser over the weights that they share.
///
/// A replica is one thread with its own workspace and gradients. After each step the gradients are summed in the order
/// of the replicas, so that equal seeds and equal numbers of replicas give equal bits.
final class ReplicaGroup: @unchecked Sendable {
    let model: Model
    let firstMoment: Weights
    let secondMoment: Weights
    private let gradients: [Weights]
    private var learners: [Learner?]
    /// Floats of the flat block that are updated at a time: small enough to stay in a core's cache.
    private static let blockSize = 1 << 14

    init(_ model: Model, replicas: Int) {
        self.model = model
        firstMoment = Weights(zerosFor: model.configuration, on: model.backend)
        secondMoment = Weights(zerosFor: model.configuration, on: model.backend)
        gradients = (0..<replicas).map { _ in Weights(zerosFor: model.configuration, on: model.backend) }
        learners = Array(repeating: nil, count: replicas)
    }

    var count: Int { gradients.count }

    /// Makes room for shares of this size.
    func reserve(tokens: Int, sequences: Int) {
        for index in learners.indices { learners[index] = Learner(model, tokens: tokens, sequences: sequences) }
    }

    /// Forward and backward of every replica's shares at once; returns the sum of losses. `loss` gives a share its kind.
    func learn(
        _ shares: [[Share]], loss: @Sendable (Share) -> Loss, dropout: Float, seed: UInt64, step: Int
    ) -> Double {
        let targets = shares.joined().reduce(0) { $0 + $1.targets.items.count }
        let scale = 1 / Float(max(1, targets))
        let losses = Mutex([Double](repeating: 0, count: count))
        DispatchQueue.concurrentPerform(iterations: count) { index in
            var own = 0.0
            for share in shares[index] {
                let settings = DropoutSettings(
                    rate: dropout, seed: seed, step: UInt32(truncatingIfNeeded: step),
                    tokenNumbers: share.tokenNumbers)
                own += learners[index]!.learn(
                    share.batch, share.targets, loss: loss(share), dropout: dropout > 0 ? settings : nil, scale: scale,
                    into: gradients[index])
            }
            losses.withLock { $0[index] = own }
        }
        return losses.withLock { $0.reduce(0, +) }
    }

    /// Sums the gradients, moves the weights and clears the gradients for the next step.
    func update(_ step: AdamStep, clipNorm: Float?) {
        var step = step
        if let clipNorm {
            forEachBlock { self.sumGradients($0) }
            let norm = model.backend.squaredNorm(gradients[0].flat).squareRoot()
            if norm > Double(clipNorm) { step.gradientScale *= clipNorm / Float(norm) }
        }
        let final = step
        forEachBlock { block in
            if clipNorm == nil { self.sumGradients(block) }
            self.model.backend.adam(
                self.model.weights.flat.columns(block), gradient: self.gradients[0].flat.columns(block),
                firstMoment: self.firstMoment.flat.columns(block),
                secondMoment: self.secondMoment.flat.columns(block), step: final)
            for own in self.gradients { self.model.backend.fill(own.flat.columns(block), with: 0) }
        }
    }

    private func sumGradients(_ block: Range<Int>) {
        for other in gradients.dropFirst() {
            model.backend.add(other.flat.columns(block), to: gradients[0].flat.columns(block))
        }
    }

    /// Calls `body` for every block of the flat weights, on all threads.
    private func forEachBlock(_ body: @escaping @Sendable (Range<Int>) -> Void) {
        let total = model.weights.layout.count
        let blocks = (total + Self.blockSize - 1) / Self.blockSize
        DispatchQueue.concurrentPerform(iterations: count) { thread in
            for block in stride(from: thread, to: blocks, by: self.count) {
                body(block * Self.blockSize..<min(total, (block + 1) * Self.blockSize))
            }
        }
    }
}
