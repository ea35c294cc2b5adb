/// The precision that matrix products round their operands to in training. Sums, activations and weights are always float32.
public enum Precision: String, Sendable, CaseIterable, Codable {
    /// Operands are not rounded.
    case float32
    /// Eleven significant bits, the range of float32: tensor cores of NVIDIA's GPUs.
    case tf32
    /// Eight significant bits, the range of float32: processors with AVX512-BF16; GPUs, which may take TF32 instead, and read operands as
    /// float32.
    case bfloat16
}
