import CPUBackend
import Tensors

/// Blocks filled with small random numbers, alive as long as this is.
final class BenchMemory {
    let backend: CPUBackend
    private var blocks: [Storage<Float>] = []
    private var indexBlocks: [Storage<Int32>] = []
    private var generator = SeededGenerator(seed: 3)

    init(_ backend: CPUBackend) { self.backend = backend }

    /// Uniform in ±`scale`.
    func tensor(_ rows: Int, _ columns: Int, scale: Float = 0.5) -> Tensor {
        let tensor = zeros(rows, columns)
        for i in 0..<tensor.count { tensor.base[i] = (Float(generator.uniform()) * 2 - 1) * scale }
        return tensor
    }

    func zeros(_ rows: Int, _ columns: Int) -> Tensor {
        let block = backend.allocate(rows * columns)
        blocks.append(block)
        return block.tensor.reshaped(rows, columns)
    }

    func indices(_ values: [Int32]) -> Indices {
        let block = backend.allocateIndices(values.count)
        indexBlocks.append(block)
        backend.upload(values, to: block.indices)
        return block.indices
    }
}
