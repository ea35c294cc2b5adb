/// The precision that matrix products round their operands to in training. Sums, activations and weights are always float32.
public enum Precision: String, Sendable, CaseIterable, Codable {
    /// Operands are not rounded.
    case float32
    /// Eleven significant bits, the range of float32: tensor cores of NVIDIA's GPUs.
    case tf32
    /// Eight significant bits, the range of float32: GPUs, and processors with AVX512-BF16.
    case bfloat16
}
