import Foundation
import Tensors

/// One result of an operation: a tensor or a number.
package struct OperationResult {
    package let name: String
    package let values: [Float]
    /// Whether no rounding is allowed.
    package let exact: Bool
    /// Errors are never measured against less than this.
    package let floor: Float

    init(_ name: String, _ values: [Float], exact: Bool = false, floor: Float = 0) {
        (self.name, self.values, self.exact, self.floor) = (name, values, exact, floor)
    }
}

/// All results of an operation.
package struct Outcome {
    /// The results, in the order in which arguments were requested.
    package var results: [OperationResult]
    /// Sentences about guards and inputs that were changed.
    package var damage: [String]
}

extension Arguments {
    /// The results, and damage to guards and inputs.
    package func outcome() -> Outcome {
        var outcome = Outcome(results: reports, damage: [])
        for block in blocks {
            let after = backend.download(block.storage.tensor)
            if let place = firstDamage(block, after) { outcome.damage.append("\(block.names[0]): \(place)") }
            if block.role != .read {
                outcome.results.append(
                    OperationResult(block.names[0], backend.download(block.tensor), floor: block.floor))
            }
        }
        for block in indexBlocks {
            var after = backend.download(block.storage.indices)
            if block.isWritten {
                let inside = guardCount..<after.count - guardCount
                after.replaceSubrange(inside, with: block.before[inside])
            }
            if after != block.before { outcome.damage.append("\(block.name): indices were changed") }
        }
        return outcome
    }

    private func firstDamage(_ block: Block, _ after: [Float]) -> String? {
        if haveSameBits(after, block.before) { return nil }
        let (stride, columns) = (block.tensor.stride, block.tensor.columns)
        for i in after.indices where after[i].bitPattern != block.before[i].bitPattern {
            let offset = i - guardCount
            if offset < 0 { return "\(-offset) floats before its start" }
            if offset >= block.tensor.rows * stride {
                return "\(offset - block.tensor.rows * stride) floats past its end"
            }
            if offset % stride >= columns { return "\(offset % stride - columns) floats past row \(offset / stride)" }
            if block.role == .read { return "element (\(offset / stride), \(offset % stride)) is only to be read" }
        }
        return nil
    }

    /// Bytes of tensors that an operation must at least read and write: each element once.
    package var bytes: Int {
        4 * blocks.reduce(0) { $0 + $1.used * ($1.role == .read || $1.role == .written ? 1 : 2) }
    }
    /// Bytes of the tensors that an operation touches.
    package var workingSet: Int { 4 * blocks.reduce(0) { $0 + $1.used } }
}

/// Whether two lists are as long and equal bit by bit, NaNs too: much faster than a loop, which tests do not optimise.
package func haveSameBits(_ a: [Float], _ b: [Float]) -> Bool {
    a.count == b.count
        && a.withUnsafeBytes { a in
            b.withUnsafeBytes { b in a.isEmpty || memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0 }
        }
}
