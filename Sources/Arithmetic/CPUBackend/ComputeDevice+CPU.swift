public import Tensors

extension ComputeDevice {
    /// This machine's processor. `precision` is what matrix products round their operands to: float32 everywhere, bfloat16 only on processors with
    /// AVX512-BF16, where it is available.
    public static func cpu(precision: Precision = .float32) -> ComputeDevice {
        ComputeDevice(CPUBackend(precision: precision))
    }
}
