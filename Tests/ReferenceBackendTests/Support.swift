import ReferenceBackend
import Tensors

let backend = ReferenceBackend()

/// These values, row by row; zeros without any.
func tensor(_ rows: Int, _ columns: Int, _ values: [Float] = []) -> Tensor {
    let tensor = backend.tensor(rows, columns)
    backend.upload(values, to: tensor)
    return tensor
}

/// Uniform in ±1.
func random(_ rows: Int, _ columns: Int, seed: UInt64) -> Tensor {
    var generator = SeededGenerator(seed: seed)
    return tensor(rows, columns, (0..<rows * columns).map { _ in Float.random(in: -1...1, using: &generator) })
}
