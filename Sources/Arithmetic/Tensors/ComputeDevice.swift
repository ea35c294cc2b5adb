/// Where models compute: a processor (`.cpu()`) or an NVIDIA GPU (`.cuda()`). Cheap to copy; many threads may use one.
public struct ComputeDevice: Sendable {
    package let backend: any Backend

    /// A device that computes with `backend`.
    package init(_ backend: any Backend) { self.backend = backend }

    /// Name for logs and tables, e.g. "CPU avx512".
    public var name: String { backend.name }
}
