import CKernels
import Dispatch
import Tensors

/// The time-parallel form of the scan (paper, section 3.3; Blelloch 1990), for one sequence on several cores.
///
/// A linear recurrence over a chunk is an affine map of the state before it: h ↦ P ⊙ h + s. Three phases: every core
/// computes (P, s) of its chunk; the states between chunks are computed one after the other; every core scans its chunk
/// again, sequentially, from the state before it. The backward pass does the same to the gradient, right to left.
extension CPUBackend {
    /// Chunks of fewer rows take less time than starting a thread.
    static let shortestChunk = 256

    func parallelChunks(_ rows: Int) -> Int { min(scanThreads, rows / Self.shortestChunk) }

    func scanInChunks(
        _ argument: UnsafePointer<ck_scan>, _ rows: Range<Int>, _ before: UnsafeMutablePointer<Float>?,
        states: Tensor, output: Tensor
    ) {
        let chunks = split(rows, into: parallelChunks(rows.count))
        let maps = ChunkMaps(chunks: chunks.count, width: states.columns)
        let call = ScanCall(argument: argument, states: states.base, output: output.base, outputGradient: nil)
        DispatchQueue.concurrentPerform(iterations: chunks.count - 1) { i in
            kernels.scan_summary(
                call.argument, chunks[i].lowerBound, chunks[i].upperBound, maps.product(i), maps.sum(i))
        }
        maps.enter(before, at: 0)
        for i in 1..<chunks.count { maps.apply(i - 1, from: i - 1, to: i) }
        DispatchQueue.concurrentPerform(iterations: chunks.count) { i in
            kernels.scan(
                call.argument, chunks[i].lowerBound, chunks[i].upperBound, maps.boundary(i), call.states, call.output)
        }
    }

    func scanBackwardInChunks(
        _ argument: UnsafePointer<ck_scan>, _ rows: Range<Int>, _ outputGradient: Tensor,
        before: UnsafeMutablePointer<Float>?, states: Tensor, gradients: ScanInputs,
        rateGradient: UnsafeMutablePointer<Float>, carry: UnsafeMutablePointer<Float>
    ) {
        let width = states.columns
        let chunks = split(rows, into: parallelChunks(rows.count))
        let maps = ChunkMaps(chunks: chunks.count, width: width)
        // Gradients of rate, both biases and ω.
        let partial = allocateHost(chunks.count * 4 * width, of: Float.self)
        let call = ScanCall(
            argument: argument, states: states.base, output: states.base, outputGradient: outputGradient.base)
        DispatchQueue.concurrentPerform(iterations: chunks.count) { i in
            kernels.scan_backward_summary(
                call.argument, chunks[i].lowerBound, chunks[i].upperBound, call.outputGradient, maps.product(i),
                maps.sum(i))
        }
        maps.enter(carry, at: chunks.count - 1)
        for i in stride(from: chunks.count - 2, through: 0, by: -1) { maps.apply(i + 1, from: i + 1, to: i) }
        let first = Address(before)
        DispatchQueue.concurrentPerform(iterations: chunks.count) { i in
            let own = partial.base + i * 4 * width
            var target = kernelGradients(gradients, bias: own + width, rate: own, fade: own + 3 * width)
            let state = i == 0 ? first.pointer : call.states + (chunks[i].lowerBound - 1) * width
            kernels.scan_backward(
                call.argument, &target, chunks[i].lowerBound, chunks[i].upperBound, call.outputGradient, state,
                call.states, maps.boundary(i))
        }
        for i in chunks.indices {
            let own = partial.base + i * 4 * width
            kernels.add(width, own, rateGradient)
            kernels.add(2 * width, own + width, gradients.gateBias.base)
            if let fade = gradients.fade { kernels.add(width, own + 3 * width, fade.base) }
        }
        carry.update(from: maps.boundary(0), count: width)
    }

    private func split(_ rows: Range<Int>, into count: Int) -> [Range<Int>] {
        (0..<count).map { i in
            rows.lowerBound + rows.count * i / count..<rows.lowerBound + rows.count * (i + 1) / count
        }
    }
}

/// The arguments of one scan for all threads, which write disjoint rows.
private struct ScanCall: @unchecked Sendable {
    let argument: UnsafePointer<ck_scan>
    let states: UnsafeMutablePointer<Float>
    let output: UnsafeMutablePointer<Float>
    let outputGradient: UnsafeMutablePointer<Float>?
}

private struct Address: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>?
    init(_ pointer: UnsafeMutablePointer<Float>?) { self.pointer = pointer }
}

/// For each chunk its affine map, and the state (or the gradient of the state) at its boundary.
private struct ChunkMaps: Sendable {
    let width: Int
    let storage: Storage<Float>

    init(chunks: Int, width: Int) {
        self.width = width
        storage = allocateHost(chunks * 3 * width, of: Float.self)
    }

    func product(_ i: Int) -> UnsafeMutablePointer<Float> { storage.base + (3 * i) * width }
    func sum(_ i: Int) -> UnsafeMutablePointer<Float> { storage.base + (3 * i + 1) * width }
    func boundary(_ i: Int) -> UnsafeMutablePointer<Float> { storage.base + (3 * i + 2) * width }

    /// Sets a boundary; nil leaves it zero.
    func enter(_ values: UnsafeMutablePointer<Float>?, at i: Int) {
        if let values { boundary(i).update(from: values, count: width) }
    }

    /// boundary(target) = product(map) ⊙ boundary(source) + sum(map).
    func apply(_ map: Int, from source: Int, to target: Int) {
        for c in 0..<width { boundary(target)[c] = product(map)[c] * boundary(source)[c] + sum(map)[c] }
    }
}
