package import Tensors

/// The operations as plain loops over elements, close to their formulas: the oracle for all fast backends.
///
/// Elements are stored as 32-bit floats like everywhere else, but every operation reads them as `Double`, computes in
/// `Double` and rounds once when it writes. Nothing here is optimised, so that it stays obviously right.
package struct ReferenceBackend: HostBackend {
    package init() {}

    /// "reference".
    package var name: String { "reference" }

    // MARK: Memory

    package func upload(_ values: [Float], to tensor: Tensor) {
        precondition(tensor.isContiguous && values.count <= tensor.count, "an upload fits its tensor")
        tensor.base.update(from: values, count: values.count)
    }

    package func upload(_ values: [Int32], to indices: Indices) {
        precondition(values.count <= indices.count, "an upload fits its indices")
        indices.base.update(from: values, count: values.count)
    }

    package func download(_ tensor: Tensor) -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(tensor.count)
        for row in 0..<tensor.rows {
            values += UnsafeBufferPointer(start: tensor.base + row * tensor.stride, count: tensor.columns)
        }
        return values
    }
}
