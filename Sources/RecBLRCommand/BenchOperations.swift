import CPUBackend
import Foundation
import RecBLR
import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Times of the operations of a training step at the default shape, so that one sees where it goes.
func operationTimes(_ backend: CPUBackend) -> [BenchResult.Operation] {
    let (n, d, h, items) = (512, 64, 128, 3416)
    var memory = BenchMemory(backend: backend)
    let starts = memory.indices([0, 100, 101, 300, 512])
    let dropout = Dropout(rate: 0.2, seed: 1, step: 1, place: 1, rowNumbers: memory.indices((0..<512).map { $0 }))
    let (x, wide, inner) = (memory.tensor(n, d), memory.tensor(n, 2 * h), memory.tensor(n, 4 * d))
    let (c, states, gated) = (memory.tensor(n, h), memory.tensor(n, h), memory.tensor(n, h))
    let (y, gradient, wideGradient) = (memory.tensor(n, d), memory.tensor(n, d), memory.tensor(n, 2 * h))
    let (cGradient, inverse, weights) = (memory.tensor(n, h), memory.tensor(1, n), memory.tensor(2 * h, h))
    let norm = NormParameters(scale: memory.tensor(1, d), shift: memory.tensor(1, d), epsilon: 1e-12)
    let taps = ConvolutionParameters(weight: memory.tensor(4, h), bias: memory.tensor(1, h))
    let gates = memory.tensor(n, 2 * h)
    let scan = ScanInputs(
        gates: gates, gateBias: memory.tensor(1, 2 * h), input: c, outputGate: wide.columns(h..<2 * h),
        decay: memory.tensor(1, h))
    let scanGradients = ScanInputs(
        gates: memory.tensor(n, 2 * h), gateBias: memory.tensor(1, 2 * h), input: cGradient,
        outputGate: wideGradient.columns(h..<2 * h), decay: memory.tensor(1, h))
    let (table, tableGradient) = (memory.tensor(items, d), memory.tensor(items, d))
    let targets = memory.indices((0..<512).map { Int32($0 * 5) })
    let moments = (memory.tensor(1, items * d), memory.tensor(1, items * d))
    func time(_ name: String, _ body: () -> Void) -> BenchResult.Operation {
        BenchResult.Operation(name: name, nanosecondsAToken: medianTime(of: 40) { _ in body() } * 1e9 / Double(n))
    }
    return [
        time("product 64 → 256") {
            backend.multiply(
                x, transposed: false, weights.reshaped(512, 64).prefix(256), transposed: true, into: wide,
                accumulate: false)
        },
        time("product 128 → 256") {
            backend.multiply(c, transposed: false, weights, transposed: true, into: gates, accumulate: false)
        },
        time("convolution + SiLU") {
            backend.convolve(
                wide.columns(0..<h), parameters: taps, starts: starts, window: nil, finalWindow: nil, output: c)
        },
        time("convolution + SiLU, backward") {
            backend.convolveBackward(
                cGradient, input: wide.columns(0..<h), parameters: taps, starts: starts,
                inputGradient: wideGradient.columns(0..<h), parameterGradients: taps)
        },
        time("gated scan") {
            backend.scan(scan, starts: starts, initial: nil, states: states, output: gated, final: nil)
        },
        time("gated scan, backward") {
            backend.scanBackward(
                gated, inputs: scan, starts: starts, initial: nil, states: states, finalGradient: nil,
                gradients: scanGradients, initialGradient: nil)
        },
        time("dropout + residual + norm") {
            backend.residualNorm(
                x, bias: nil, residual: gradient, dropout: dropout, parameters: norm, inverseDeviation: inverse,
                output: y)
        },
        time("dropout + residual + norm, backward") {
            backend.residualNormBackward(
                y, normalized: x, inverseDeviation: inverse, dropout: dropout, parameters: norm,
                inputGradient: gradient, residualGradient: nil, biasGradient: nil, parameterGradients: norm)
        },
        time("bias + SiLU + dropout") {
            backend.activate(inner, bias: nil, dropout: dropout, output: inner)
        },
        time("bias + SiLU + dropout, backward") {
            backend.activateBackward(
                inner, input: inner, bias: nil, dropout: dropout, inputGradient: inner, biasGradient: nil)
        },
        time("softmax cross-entropy, both ways") {
            _ = backend.crossEntropy(
                x, table: table, targets: targets, scale: 1e-3,
                gradients: LossGradients(hidden: gradient, table: tableGradient))
        },
        time("Adam on the embedding, once a step") {
            backend.adam(
                table.reshaped(1, items * d), gradient: tableGradient.reshaped(1, items * d), firstMoment: moments.0,
                secondMoment: moments.1, step: AdamStep(number: 1, learningRate: 1e-6))
        },
    ]
}

/// Blocks filled with small random numbers.
private struct BenchMemory {
    let backend: CPUBackend
    private var blocks: [Storage<Float>] = []
    private var indexBlocks: [Storage<Int32>] = []
    private var generator = SeededGenerator(seed: 3)

    init(backend: CPUBackend) { self.backend = backend }

    mutating func tensor(_ rows: Int, _ columns: Int) -> Tensor {
        let block = backend.allocate(rows * columns)
        blocks.append(block)
        backend.upload((0..<rows * columns).map { _ in Float(generator.normal() * 0.5) }, to: block.tensor)
        return block.tensor.reshaped(rows, columns)
    }

    mutating func indices(_ values: [Int32]) -> Indices {
        let block = backend.allocateIndices(values.count)
        indexBlocks.append(block)
        backend.upload(values, to: block.indices)
        return block.indices
    }
}

/// Largest resident size of this process so far, in MB.
func peakMemory() -> Double {
    var usage = rusage()
    #if canImport(Darwin)
        getrusage(RUSAGE_SELF, &usage)
        return Double(usage.ru_maxrss) / 1e6
    #else
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Double(usage.ru_maxrss) / 1e3
    #endif
}
