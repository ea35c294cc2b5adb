import Dispatch
import Layers
import Models
import Tensors

/// Adam over a model's weights, with its moments.
struct Optimizer: Sendable {
    let firstMoment, secondMoment: Parameters
    private let model: SequenceModel
    /// Floats of the flat block that are updated at a time: small enough to stay in a core's cache.
    private static let blockSize = 1 << 14

    init(_ model: SequenceModel) {
        self.model = model
        (firstMoment, secondMoment) = (model.makeGradients(), model.makeGradients())
    }

    /// Sums the gradients, moves the weights in the ranges that these touch and clears them for the next step.
    ///
    /// Items that a step with a sampled loss does not meet keep their weights and their moments as they are, as in
    /// TensorFlow's LazyAdam (tfa.optimizers.LazyAdam): such a step costs what it touches, not what the catalogue holds.
    func update(_ gradients: GradientSum, in touched: [Range<Int>], _ step: AdamStep, clipNorm: Float?) {
        let backend = model.backend
        var step = step
        if let clipNorm, !backend.isQueued {
            forEachBlock(of: touched, threads: gradients.parts.count) { gradients.add($0) }
            let squares = touched.reduce(0) { $0 + backend.squaredNorm(gradients.total.columns($1)) }
            step = step.clipped(to: clipNorm, squaredNorm: squares)
        }
        forEachBlock(of: touched, threads: gradients.parts.count) { [step] blocks in
            if clipNorm == nil { gradients.add(blocks) }
            backend.adam(
                model.weights.flat, gradient: gradients.total, firstMoment: firstMoment.flat,
                secondMoment: secondMoment.flat, step: step, largestNorm: backend.isQueued ? clipNorm : nil,
                clearing: blocks)
            gradients.clearParts(blocks)
        }
    }

    /// Calls `body` for every block of these ranges, on all threads; once for all where a device has a queue.
    private func forEachBlock(
        of ranges: [Range<Int>], threads: Int, _ body: @Sendable ([Range<Int>]) -> Void
    ) {
        if model.backend.isQueued { return body(ranges) }
        let blocks = ranges.flatMap { range in
            stride(from: range.lowerBound, to: range.upperBound, by: Self.blockSize).map {
                $0..<min(range.upperBound, $0 + Self.blockSize)
            }
        }
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            for block in stride(from: thread, to: blocks.count, by: threads) { body([blocks[block]]) }
        }
    }
}
