import FileSupport
import RecBLR
import Tensors

/// A model and what is known of its items: all that the recommenders of many threads share.
public struct Catalogue: Sendable {
    /// The model that answers.
    public let model: Model
    /// Names of its items: item i is at position i − 1.
    public let items: Vocabulary
    /// What is recommended where there is no history; nil where nobody knows what is popular.
    public let popularity: Popularity?
    /// The largest Euclidean norm of a row of the item table.
    private let largestNorm: Double

    /// There must be as many names, and as many counts, as the model has items. O(V · D).
    public init(_ model: Model, items: Vocabulary, popularity: Popularity? = nil) {
        precondition(items.count == model.configuration.itemCount, "one name an item")
        precondition(popularity.map { $0.counts.count == items.count } ?? true, "one count an item")
        self.model = model
        self.items = items
        self.popularity = popularity
        largestNorm = Self.largestNorm(model.itemTable, model.backend)
    }

    private static func largestNorm(_ table: Tensor, _ backend: any Backend) -> Double {
        let block = 8192
        return stride(from: 0, to: table.rows, by: block).reduce(0) { largest, first in
            let values = backend.download(table.rows(first..<min(first + block, table.rows)))
            return stride(from: 0, to: values.count, by: table.columns).reduce(largest) { largest, row in
                let norm = norm(values[row..<row + table.columns])
                return norm.isFinite ? max(largest, norm) : .infinity
            }
        }
    }

    /// Whether every score of these hidden vectors, one after the other, is a finite number: by Cauchy and Schwarz none is
    /// larger than the product of two norms. O(their number).
    func scoresAreFinite(_ hidden: [Float]) -> Bool {
        let width = model.configuration.hiddenSize
        return stride(from: 0, to: hidden.count, by: width).allSatisfy {
            // Not a number is not below either. Half of the range is left for what a repeat-aware head adds.
            Self.norm(hidden[$0..<$0 + width]) * largestNorm < Double(Float.greatestFiniteMagnitude) / 2
        }
    }

    private static func norm(_ values: ArraySlice<Float>) -> Double {
        values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }
}
