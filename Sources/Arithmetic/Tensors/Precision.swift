/// What matrix products of training round their operands to. Sums, activations and weights are float32 always.
public enum Precision: String, Sendable, CaseIterable, Codable {
    /// Nothing is rounded.
    case float32
    /// Eleven significant bits, the range of float32: tensor cores of NVIDIA's GPUs.
    case tf32
    /// Eight significant bits, the range of float32: GPUs, and processors with AVX512-BF16.
    case bfloat16
}
