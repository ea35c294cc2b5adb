import Evaluation
import Interactions
import RecBLR
import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Draws negatives for the sampled losses.
struct NegativeSampler: Sendable {
    /// Cumulative training counts, one added to each item; position i is item i + 1.
    private let cumulative: [Int]
    /// log of the expected number of times each item is among `sample`; position 0 is unused.
    let logQ: [Float]
    private let sample: Int

    init(_ dataset: Dataset, _ split: Split, sample: Int) {
        let counts = trainingCounts(dataset, split).dropFirst().map { $0 + 1 }
        let total = Double(counts.reduce(0, +))
        self.sample = sample
        cumulative = counts.reduce(into: []) { $0.append(($0.last ?? 0) + $1) }
        logQ = [0] + counts.map { Float(log(Double(sample) * Double($0) / total)) }
    }

    /// Items drawn by popularity, with repetition.
    func popular(using generator: inout SeededGenerator) -> [Int32] {
        (0..<sample).map { _ in
            let draw = Int.random(in: 0..<cumulative.last!, using: &generator)
            var (low, high) = (0, cumulative.count - 1)
            while low < high {
                let middle = (low + high) / 2
                if cumulative[middle] > draw { high = middle } else { low = middle + 1 }
            }
            return Int32(low + 1)
        }
    }

    /// One item other than the target for each, uniformly.
    func uniform(otherThan targets: [Int32], using generator: inout SeededGenerator) -> [Int32] {
        let items = Int32(cumulative.count)
        return targets.map { target in
            guard items > 1 else { return target }
            let draw = Int32.random(in: 1..<items, using: &generator)
            return draw >= target ? draw + 1 : draw
        }
    }
}
