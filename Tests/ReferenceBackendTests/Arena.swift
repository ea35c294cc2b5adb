import ReferenceBackend
import Tensors

let backend = ReferenceBackend()

/// Tensors that live as long as the arena does.
final class Arena {
    private var blocks: [Storage<Float>] = []
    private var indexBlocks: [Storage<Int32>] = []
    private var generator = SeededGenerator(seed: 42)

    func tensor(_ rows: Int, _ columns: Int, _ values: [Float]? = nil) -> Tensor {
        let storage = backend.allocate(rows * columns)
        blocks.append(storage)
        if let values { backend.upload(values, to: storage.tensor) }
        return storage.tensor.reshaped(rows, columns)
    }

    func random(_ rows: Int, _ columns: Int, in range: ClosedRange<Float> = -1...1) -> Tensor {
        tensor(rows, columns, (0..<rows * columns).map { _ in Float.random(in: range, using: &generator) })
    }

    func indices(_ values: [Int32]) -> Indices {
        let storage = backend.allocateIndices(values.count)
        indexBlocks.append(storage)
        backend.upload(values, to: storage.indices)
        return storage.indices
    }
}

/// Keeps the arena's memory until `body` is done.
func withArena(_ body: (Arena) throws -> Void) rethrows {
    let arena = Arena()
    defer { withExtendedLifetime(arena) {} }
    try body(arena)
}
