import Layers
import Tensors

/// The gradients of all replicas, and their sum. They are added in the order of the replicas, so that equal seeds and equal numbers
/// of replicas give equal bits.
///
/// Training on several machines would need a change only here: after ``add(_:)`` has summed this machine's replicas, an all-reduce would
/// add the sums of the others.
struct GradientSum: Sendable {
    /// The gradients of each replica; the first also holds the sum.
    let parts: [Parameters]
    private let backend: any Backend

    init(_ parts: [Parameters], on backend: any Backend) { (self.parts, self.backend) = (parts, backend) }

    /// The sum, in the ranges that were added.
    var total: Tensor { parts[0].flat }

    /// Sums these ranges of the block.
    func add(_ ranges: [Range<Int>]) {
        for part in parts.dropFirst() {
            for range in ranges { backend.add(part.flat.columns(range), to: total.columns(range)) }
        }
    }

    /// Sets these ranges to zero in all gradients except the sum.
    func clearParts(_ ranges: [Range<Int>]) {
        for part in parts.dropFirst() {
            for range in ranges { backend.fill(part.flat.columns(range), with: 0) }
        }
    }
}
