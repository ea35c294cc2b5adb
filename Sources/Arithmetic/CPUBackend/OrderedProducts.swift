import CKernels
package import Tensors

extension CPUBackend {
    /// Who multiplies matrices.
    package enum Products: Sendable {
        /// OpenBLAS or Accelerate. How a row's sums are ordered, and so its last bits, may depend on the number of rows.
        case library
        /// Kernels that add the terms of each sum one after the other: a row's result is the same, bit for bit, whatever rows are computed
        /// with it. So a user's state depends only on the user's events, the model and the instruction set. For inference: float32 only, and
        /// a scan stays on one thread.
        case rowIndependent
    }

    /// The same backend with these matrices packed, for ``Products/rowIndependent``: they are right operands, transposed, of many
    /// products, and do not change any more.
    package func prepared(for matrices: [Tensor]) -> any Backend {
        guard products == .rowIndependent else { return self }
        var prepared = self
        prepared.constants = Dictionary(
            uniqueKeysWithValues: matrices.filter { $0.count > 0 }.map { ($0.address, PackedMatrix($0, kernels)) })
        return prepared
    }

    /// output = op(a) · op(b), or output +=, each sum in the order of its terms.
    func orderedProduct(
        _ a: Tensor, _ aTransposed: Bool, _ b: Tensor, _ bTransposed: Bool, into output: Tensor, accumulate: Bool
    ) {
        let depth = aTransposed ? a.rows : a.columns
        func multiply(_ panels: UnsafePointer<Float>) {
            kernels.multiply(
                output.rows, output.columns, depth, a.base, a.stride, aTransposed, panels, output.base, output.stride,
                accumulate)
        }
        if bTransposed, let panels = constants[b.address], panels.hold(b) { return multiply(panels.storage.base) }
        let count = Self.panelSize(depth, output.columns, kernels)
        withUnsafeTemporaryAllocation(byteCount: 4 * count, alignment: 64) { memory in
            let panels = memory.bindMemory(to: Float.self).baseAddress!
            kernels.pack(depth, output.columns, b.base, b.stride, bTransposed, panels)
            multiply(panels)
        }
    }

    /// Floats of a packed right operand [k, n].
    static func panelSize(_ k: Int, _ n: Int, _ kernels: ck_kernels) -> Int {
        (n + kernels.panel - 1) / kernels.panel * kernels.panel * k
    }
}

extension Tensor {
    fileprivate var address: UInt { UInt(bitPattern: pointer) }
}

/// A matrix [n, k] as the transposed right operand of ordered products.
struct PackedMatrix: Sendable {
    /// The matrix; it keeps its memory, so that no other can get its address.
    private let matrix: Tensor
    let storage: Storage<Float>

    init(_ matrix: Tensor, _ kernels: ck_kernels) {
        self.matrix = matrix
        storage = allocateHost(
            CPUBackend.panelSize(matrix.columns, matrix.rows, kernels), of: Float.self, zeroed: false)
        kernels.pack(matrix.columns, matrix.rows, matrix.base, matrix.stride, true, storage.base)
    }

    /// Whether this is the packed `other`, which has the same address.
    func hold(_ other: Tensor) -> Bool {
        matrix.rows == other.rows && matrix.columns == other.columns && matrix.stride == other.stride
    }
}
