import CKernels
package import Tensors

extension Precision {
    /// Whether this processor and this build can compute products of this precision.
    package var isAvailable: Bool {
        switch self {
        case .float32: true
        case .tf32: false
        case .bfloat16: ck_bfloat16_kernels() != nil
        }
    }
}

extension CPUBackend {
    /// output = op(a) · op(b), or output +=, with operands rounded to bfloat16 and sums in float32.
    func roundedProduct(
        _ a: Tensor, _ aTransposed: Bool, _ b: Tensor, _ bTransposed: Bool, into output: Tensor, accumulate: Bool
    ) {
        let kernels = ck_bfloat16_kernels()!.pointee
        let depth = aTransposed ? a.rows : a.columns
        let panels = (output.columns + kernels.panel - 1) / kernels.panel * kernels.panel * ((depth + 1) / 2)
        withUnsafeTemporaryAllocation(
            byteCount: 4 * (panels + kernels.block_size), alignment: 64
        ) { memory in
            let scratch = memory.bindMemory(to: UInt32.self).baseAddress!
            kernels.pack(depth, output.columns, b.base, b.stride, bTransposed, scratch)
            kernels.multiply(
                output.rows, output.columns, depth, a.base, a.stride, aTransposed, scratch, output.base,
                output.stride, accumulate, scratch + panels)
        }
    }
}
