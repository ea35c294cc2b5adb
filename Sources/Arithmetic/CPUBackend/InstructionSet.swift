public import CKernels

/// The instruction sets that the kernels are compiled for.
package enum InstructionSet: String, Sendable, CaseIterable {
    /// Four floats at a time: SSE2 or NEON, on every processor.
    case baseline
    /// Eight floats at a time.
    case avx2
    /// Sixteen floats at a time.
    case avx512

    /// The instruction sets that this processor and this build have, narrowest first.
    package static var available: [InstructionSet] { allCases.filter { $0.kernels != nil } }

    /// The widest available.
    package static var best: InstructionSet { available.last ?? .baseline }

    var kernels: UnsafePointer<ck_kernels>? {
        switch self {
        case .baseline: ck_kernels_for(CK_BASELINE)
        case .avx2: ck_kernels_for(CK_AVX2)
        case .avx512: ck_kernels_for(CK_AVX512)
        }
    }
}

/// A table of pure functions and constants, never written to.
extension ck_kernels: @retroactive @unchecked Sendable {}
