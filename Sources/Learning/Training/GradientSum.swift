import Layers
import Tensors

/// The gradients of all replicas, and their sum. They are added in the order of the replicas, so that equal seeds and equal numbers
/// of replicas give equal bits.
///
/// Machines that train one model together differ in this alone: where ``add(_:)`` has made the sum of this machine's replicas, a collective
/// adds those of the others.
struct GradientSum: Sendable {
    /// One a replica; the first becomes the sum.
    let parts: [Parameters]
    private let backend: any Backend

    init(_ parts: [Parameters], on backend: any Backend) { (self.parts, self.backend) = (parts, backend) }

    /// The sum, of the ranges that were added.
    var total: Tensor { parts[0].flat }

    /// Sums these ranges of the block.
    func add(_ ranges: [Range<Int>]) {
        for part in parts.dropFirst() {
            for range in ranges { backend.add(part.flat.columns(range), to: total.columns(range)) }
        }
    }

    /// Clears the ranges in all gradients but the sum.
    func clearParts(_ ranges: [Range<Int>]) {
        for part in parts.dropFirst() {
            for range in ranges { backend.fill(part.flat.columns(range), with: 0) }
        }
    }
}
