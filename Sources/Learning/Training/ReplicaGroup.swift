import Dispatch
import Models
import Tensors

/// The replicas of one machine and the optimiser over the weights that they share.
///
/// A replica is one thread with its own workspace and gradients. After each step the gradients are summed in the order
/// of the replicas, so that equal seeds and equal numbers of replicas give equal bits.
final class ReplicaGroup: @unchecked Sendable {
    let model: SequenceModel
    let firstMoment: Weights
    let secondMoment: Weights
    private let gradients: [Weights]
    private var learners: [Learner?]
    /// Of each replica; of all in the first, between steps.
    private let sums: [LossSum]
    /// Events that go through a replica at a time.
    private var room = 0
    /// Ascending ranges of the flat block outside which the gradients are zero.
    var reach: [Range<Int>] = []
    /// Floats of the flat block that are updated at a time: small enough to stay in a core's cache.
    private static let blockSize = 1 << 14

    init(_ model: SequenceModel, replicas: Int) {
        self.model = model
        firstMoment = Weights(zerosFor: model.configuration, on: model.backend)
        secondMoment = Weights(zerosFor: model.configuration, on: model.backend)
        gradients = (0..<replicas).map { _ in Weights(zerosFor: model.configuration, on: model.backend) }
        learners = Array(repeating: nil, count: replicas)
        sums = (0..<replicas).map { _ in model.backend.allocateSum() }
    }

    /// Sum of the losses of all steps since it was last set. Reading it waits for what is queued.
    var lossSum: Double {
        get { model.backend.read(sums[0]) }
        set { model.backend.write(newValue, to: sums[0]) }
    }

    var count: Int { gradients.count }

    /// Makes room for shares of this size.
    func reserve(tokens: Int, sequences: Int) {
        room = tokens
        // The old ones go first: the new ones get their memory, at the same addresses.
        learners = learners.map { _ in nil }
        for index in learners.indices { learners[index] = Learner(model, tokens: tokens, sequences: sequences) }
    }

    /// One step of training: forward, backward and update, which a device starts as one where nothing in it has to be read.
    func step(_ shares: [[Share]], dropout: Float, seed: UInt64, step number: Int, adam: AdamStep, clipNorm: Float?) {
        let backend = model.backend
        func step() {
            learn(shares, dropout: dropout, seed: seed, step: number)
            update(adam, clipNorm: clipNorm)
        }
        let isOnePass = shares.joined().allSatisfy { $0.batch.tokenCount <= room }
        isOnePass ? backend.together(step) : step()
    }

    /// Forward and backward of every replica's shares at once; adds to ``lossSum``.
    func learn(_ shares: [[Share]], dropout: Float, seed: UInt64, step: Int) {
        reach = model.weights.reach(of: shares.joined())
        let targets = shares.joined().reduce(0) { $0 + $1.targetCount }
        let scale = 1 / Float(max(1, targets))
        DispatchQueue.concurrentPerform(iterations: count) { index in
            for share in shares[index] {
                let settings = DropoutSettings(
                    rate: dropout, seed: seed, step: UInt32(truncatingIfNeeded: step),
                    tokenNumbers: share.tokenNumbers)
                learners[index]!.learn(
                    share.batch, share.targets, loss: share.loss, dropout: dropout > 0 ? settings : nil, scale: scale,
                    into: gradients[index], addingTo: sums[index])
            }
        }
        for other in sums.dropFirst() {
            lossSum += model.backend.read(other)
            model.backend.write(0, to: other)
        }
    }

    /// Sums the gradients, moves the weights that they reach and clears the gradients for the next step.
    ///
    /// Items that a step with a sampled loss does not meet keep their weights and their moments as they are, as in
    /// TensorFlow's LazyAdam (tfa.optimizers.LazyAdam): such a step costs what it touches, not what the catalogue holds.
    func update(_ step: AdamStep, clipNorm: Float?) {
        let isQueued = model.backend.isQueued
        var clipped = step
        if let clipNorm, !isQueued {
            forEachBlock { self.sumGradients($0) }
            let squares = reach.reduce(0) { $0 + model.backend.squaredNorm(gradients[0].flat.columns($1)) }
            clipped = step.clipped(to: clipNorm, squaredNorm: squares)
        }
        let final = clipped
        forEachBlock { blocks in
            if clipNorm == nil { self.sumGradients(blocks) }
            self.model.backend.adam(
                self.model.weights.flat, gradient: self.gradients[0].flat, firstMoment: self.firstMoment.flat,
                secondMoment: self.secondMoment.flat, step: final, largestNorm: isQueued ? clipNorm : nil,
                clearing: blocks)
            for own in self.gradients.dropFirst() {
                for block in blocks { self.model.backend.fill(own.flat.columns(block), with: 0) }
            }
        }
    }

    private func sumGradients(_ blocks: [Range<Int>]) {
        for other in gradients.dropFirst() {
            for block in blocks {
                model.backend.add(other.flat.columns(block), to: gradients[0].flat.columns(block))
            }
        }
    }

    /// Calls `body` for every block of what the gradients reach, on all threads; once for all where a device has a queue.
    private func forEachBlock(_ body: @escaping @Sendable ([Range<Int>]) -> Void) {
        if model.backend.isQueued { return body(reach) }
        let blocks = reach.flatMap { range in
            stride(from: range.lowerBound, to: range.upperBound, by: Self.blockSize).map {
                $0..<min(range.upperBound, $0 + Self.blockSize)
            }
        }
        DispatchQueue.concurrentPerform(iterations: count) { thread in
            for block in stride(from: thread, to: blocks.count, by: self.count) { body([blocks[block]]) }
        }
    }
}

extension Weights {
    /// The ranges of the block in which gradients of these shares may be other than zero: everything under the full loss,
    /// else the embeddings of the items that they meet and all that is not an embedding.
    fileprivate func reach(of shares: some Sequence<Share>) -> [Range<Int>] {
        var items: [Int32] = []
        for share in shares {
            switch share.loss {
            case .full: return [0..<layout.count]
            case .sampled(let samples, _): items += samples.joined()
            case .pairwise(let negatives): items += negatives.prefix(share.targetCount)
            }
            items += share.batch.items.prefix(share.tokenCount)
            items += share.targets.items.prefix { $0 != 0 }
        }
        items.sort()
        let (first, width) = (embedding.base - flat.base, embedding.columns)
        var ranges = [0..<first]
        for item in items where ranges.last!.lowerBound != first + Int(item) * width {
            ranges.append(first + Int(item) * width..<first + (Int(item) + 1) * width)
        }
        ranges.append(first + embedding.count..<layout.count)
        return ranges
    }
}
