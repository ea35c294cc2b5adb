import ReferenceBackend
import Tensors

let backend = ReferenceBackend()

/// Tensors that live as long as the arena does.
final class Arena {
    private var blocks: [Storage<Float>] = []
    private var indexBlocks: [Storage<Int32>] = []
    private var generator = SplitMix64(state: 42)

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

    /// Some elements dropped, always the same ones.
    func dropout(rows: Int) -> Dropout {
        Dropout(rate: 0.3, seed: 7, step: 3, place: 2, rowNumbers: indices((0..<Int32(rows)).map { 5 * $0 + 1 }))
    }
}

/// Keeps the arena's memory until `body` is done.
func withArena(_ body: (Arena) throws -> Void) rethrows {
    let arena = Arena()
    defer { withExtendedLifetime(arena) {} }
    try body(arena)
}

/// SplitMix64 (Steele et al. 2014).
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
