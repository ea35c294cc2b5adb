public import Tensors

extension ComputeDevice {
    /// The NVIDIA GPU numbered `ordinal`. Opens NVIDIA's libraries and, at first use, compiles the kernels (some seconds). Throws
    /// where there is no such GPU, or a library is missing.
    public static func cuda(_ ordinal: Int = 0, precision: Precision = .tf32) throws(CUDAError) -> ComputeDevice {
        ComputeDevice(try CUDABackend(ordinal: ordinal, precision: precision))
    }
}
