import Tensors

extension ComputeDevice {
    /// This machine's processor. `precision` is what matrix products round their operands to; it must be available here.
    public static func cpu(precision: Precision = .float32) -> ComputeDevice {
        ComputeDevice(CPUBackend(precision: precision))
    }
}
