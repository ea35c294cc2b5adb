package import Tensors

/// A forward pass and its backward pass, whose gradients are checked with finite differences of the forward pass.
package struct DifferentiableCase: Sendable, CustomStringConvertible {
    package let forward: OperationCase
    /// The backward pass; nil for a loss, which computes its gradients itself.
    package let backward: OperationCase?
    /// Largest allowed |gradient − difference quotient| / (1 + |difference quotient|).
    package let tolerance: Double

    /// All operations that have gradients.
    package static let all: [DifferentiableCase] =
        ResidualNorm.differentiableCases + Activation.differentiableCases + Convolution.differentiableCases
        + Attention.differentiableCases + Scan.differentiableCases + Loss.differentiableCases

    package var description: String { forward.name }

    /// Compares each gradient with central differences of Σ outputs ⊙ their gradients, or of the loss that is returned;
    /// returns a sentence for each argument whose gradient is wrong. `backend` computes in this process's memory.
    ///
    /// The step of 2⁻⁷ is a compromise for values of size 1 in 32-bit storage: outputs are rounded to 6e-8 of their size,
    /// which makes up to 1e-5 of a difference quotient, and the fourth-order formula neglects about 1e-7. So `tolerance`
    /// lies somewhat above that.
    package func wrongGradients(on backend: some HostBackend) -> [String] {
        let arguments = Arguments(backend, seed: forward.seed)
        let (forward, backward) = (forward.prepare(arguments), backward?.prepare(arguments))
        forward()
        backward?()
        let gradients = arguments.gradients()
        func loss(_ place: UnsafeMutablePointer<Float>, _ step: Float) -> (loss: Double, at: Double) {
            arguments.restore()
            place.pointee += step
            let value = place.pointee
            forward()
            return (arguments.loss(), Double(value))
        }
        func quotient(_ place: UnsafeMutablePointer<Float>, _ step: Float) -> Double {
            let (above, below) = (loss(place, step), loss(place, -step))
            return (above.loss - below.loss) / (above.at - below.at)
        }
        return gradients.compactMap { gradient in
            var worst = (error: 0.0, message: "")
            for (index, own) in gradient.values.enumerated() {
                let (row, column) = (index / gradient.argument.columns, index % gradient.argument.columns)
                let place = gradient.argument.base + row * gradient.argument.stride + column
                let right = (4 * quotient(place, 0x1p-7) - quotient(place, 0x1p-6)) / 3
                let error = abs(own - right) / (1 + abs(right))
                if !(error <= worst.error) {
                    worst = (error, "\(gradient.name)[\(row), \(column)]: \(own), not \(right)")
                }
            }
            return worst.error <= tolerance ? nil : worst.message
        }
    }
}

/// The gradient that a backward pass computed for one argument.
private struct Gradient {
    let name: String
    let argument: Tensor
    let values: [Double]
}

extension Arguments {
    private static let gradientOf = "gradient of "

    /// The initial contents of all arguments.
    fileprivate func restore() {
        for block in blocks { backend.upload(block.before, to: block.storage.tensor) }
    }

    /// The gradients that were overwritten, and what has been added to the others.
    fileprivate func gradients() -> [Gradient] {
        blocks.compactMap { block in
            guard block.role != .read, let name = block.names.last, name.hasPrefix(Self.gradientOf),
                block.role != .replaced || block.names.count > 1
            else { return nil }
            let after = backend.download(block.tensor)
            let before = block.role == .accumulated ? first(block) : [Float](repeating: 0, count: after.count)
            let argument = String(name.dropFirst(Self.gradientOf.count))
            return Gradient(
                name: argument, argument: blocks[index(of: argument)!].tensor,
                values: zip(after, before).map { Double($0) - Double($1) })
        }
    }

    /// Σ outputs ⊙ their gradients in double precision, and the loss that was returned: the gradients of both are what a
    /// backward pass must leave.
    fileprivate func loss() -> Double {
        blocks.reduce(returnedLoss) { sum, block in
            guard block.role == .read || block.role == .replaced, block.names[0].hasPrefix(Self.gradientOf),
                let output = index(of: String(block.names[0].dropFirst(Self.gradientOf.count)))
            else { return sum }
            return zip(first(block), backend.download(blocks[output].tensor)).reduce(sum) {
                $0 + Double($1.0) * Double($1.1)
            }
        }
    }

    /// The initial elements of a block.
    private func first(_ block: Block) -> [Float] {
        let tensor = block.tensor
        return (0..<tensor.rows).flatMap { row in
            block.before[guardCount + row * tensor.stride..<guardCount + row * tensor.stride + tensor.columns]
        }
    }
}
