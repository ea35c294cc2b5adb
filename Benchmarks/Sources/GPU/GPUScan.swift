import CUDABackend
import Tensors

/// Blocks of random numbers in a device's memory, alive as long as this is.
final class GPUMemory {
    private let backend: CUDABackend
    private var blocks: [Storage<Float>] = []
    private var generator = SeededGenerator(seed: 3)

    init(_ backend: CUDABackend) { self.backend = backend }

    /// Uniform in ±0.5; beyond the first million they come again.
    func random(_ rows: Int, _ columns: Int) -> Tensor {
        let tensor = zeros(rows, columns)
        let flat = Tensor(base: tensor.base, rows: 1, columns: tensor.count)
        var known = min(tensor.count, 1 << 20)
        backend.upload((0..<known).map { _ in Float(generator.uniform()) - 0.5 }, to: flat)
        while known < tensor.count {
            let more = min(known, tensor.count - known)
            backend.copy(flat.columns(0..<more), to: flat.columns(known..<known + more))
            known += more
        }
        return tensor
    }

    func zeros(_ rows: Int, _ columns: Int) -> Tensor {
        let block = backend.allocate(rows * columns)
        blocks.append(block)
        return block.tensor.reshaped(rows, columns)
    }
}

/// A gated scan over sequences of one length, forward and backward.
struct GPUScan {
    private let backend: CUDABackend
    private let shape: String
    private let memory: GPUMemory
    private let starts: Storage<Int32>
    private let inputs, gradients: ScanInputs
    private let states, output, outputGradient: Tensor

    init(_ backend: CUDABackend, _ sequences: Int, _ length: Int, _ channels: Int) {
        let (memory, rows) = (GPUMemory(backend), sequences * length)
        self.backend = backend
        self.memory = memory
        shape = "\(sequences) x \(length) x \(channels)"
        starts = backend.allocateIndices(sequences + 1)
        backend.upload((0...sequences).map { Int32($0 * length) }, to: starts.indices)
        func arguments(_ tensor: (Int, Int) -> Tensor) -> ScanInputs {
            ScanInputs(
                gates: tensor(rows, 2 * channels), gateBias: tensor(1, 2 * channels), input: tensor(rows, channels),
                outputGate: tensor(rows, channels), decay: tensor(1, channels))
        }
        inputs = arguments(memory.random)
        gradients = arguments(memory.zeros)
        (states, output) = (memory.zeros(rows, channels), memory.zeros(rows, channels))
        outputGradient = memory.random(rows, channels)
    }

    /// Both directions. Forward reads R, I, C and Z and writes h and the output; backward reads these four, h and the output's
    /// gradient, and writes four gradients.
    func measured(_ runs: Int, _ copyRate: Double) -> [GPUBench.Scan] {
        let forward = medianDeviceTime(backend, runs) {
            backend.scan(
                inputs, starts: starts.indices, initial: nil, states: states, output: output, final: nil)
        }
        let backward = medianDeviceTime(backend, runs) {
            backend.scanBackward(
                outputGradient, inputs: inputs, starts: starts.indices, initial: nil, states: states,
                finalGradient: nil, gradients: gradients, initialGradient: nil)
        }
        return [("forward", forward, 6), ("backward", backward, 10)].map { direction, seconds, arrays in
            let bytes = 4 * arrays * states.count
            return GPUBench.Scan(
                shape: shape, direction: direction, seconds: seconds, bytes: bytes,
                shareOfCopy: Double(bytes) / seconds / copyRate)
        }
    }
}
