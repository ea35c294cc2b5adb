import Dispatch
import Layers
import Models
import Tensors

/// Adam over a model's weights, with its moments.
struct Optimizer: Sendable {
    let firstMoment, secondMoment: Parameters
    private let model: SequenceModel
    /// Floats of the flat block that are updated at a time: few enough to stay in a core's cache.
    private static let blockSize = 1 << 14

    init(_ model: SequenceModel) {
        self.model = model
        (firstMoment, secondMoment) = (model.makeGradients(), model.makeGradients())
    }

    /// Sums the gradients, updates the weights in the touched ranges and rows, and sets the gradients to zero for the next step.
    ///
    /// Embeddings of items that do not occur in a step with a sampled loss keep weights and moments unchanged, as in
    /// TensorFlow's LazyAdam (tfa.optimizers.LazyAdam): the cost of such a step does not depend on the size of the catalogue.
    func update(
        _ gradients: GradientSum, in touched: [Range<Int>], rows: MarkedRows? = nil, _ step: AdamStep, clipNorm: Float?
    ) {
        let backend = model.backend
        var step = step
        // A queued device clips by itself; a processor has to know the whole gradient before it updates the first block.
        if let clipNorm, !backend.isQueued {
            forEachBlock(of: touched, threads: gradients.parts.count) { gradients.add($0) }
            let squares = touched.reduce(0) { $0 + backend.squaredNorm(gradients.total.columns($1)) }
            step = step.clipped(to: clipNorm, squaredNorm: squares)
        }
        forEachBlock(of: touched, threads: gradients.parts.count) { [step] blocks in
            if clipNorm == nil || backend.isQueued { gradients.add(blocks) }
            backend.adam(
                model.weights.flat, gradient: gradients.total, firstMoment: firstMoment.flat,
                secondMoment: secondMoment.flat, step: step, largestNorm: backend.isQueued ? clipNorm : nil,
                clearing: blocks, rows: rows)
            gradients.clearParts(blocks)
        }
        model.clampWeights()
    }

    /// Calls `body` with every block of these ranges, on all threads; once with all ranges on a queued device.
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
