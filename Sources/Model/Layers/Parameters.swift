package import Tensors

/// One number for each element of a model's parameters: its weights, their gradients, or an optimiser's moments.
package struct Parameters: Sendable {
    /// The offsets of the parameters.
    package let layout: ParameterLayout
    private let storage: Storage<Float>

    /// All zeros, in the backend's memory.
    package init(zerosFor layout: ParameterLayout, on backend: any Backend) {
        self.layout = layout
        storage = backend.allocate(layout.count)
    }

    /// The whole block as one row.
    package var flat: Tensor { storage.tensor }

    /// The elements of a parameter.
    package subscript(_ parameter: Parameter) -> Tensor {
        storage.tensor(at: layout.offsets[parameter.index], rows: parameter.rows, columns: parameter.columns)
    }

    /// The elements of an entry of the layout.
    package subscript(_ entry: ParameterLayout.Entry) -> Tensor {
        storage.tensor(at: entry.offset, rows: entry.rows, columns: entry.columns)
    }

    /// The parameter called `name` in model files, nil if there is none. O(parameters).
    package subscript(named name: String) -> Tensor? {
        layout.entries.first { $0.name == name }.map { self[$0] }
    }
}
