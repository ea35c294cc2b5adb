package import Tensors

/// One number for each element of a model's parameters: its weights, their gradients, or an optimiser's moments.
package final class Parameters: Sendable {
    /// The offsets of the parameters.
    package let layout: ParameterLayout
    /// The whole block as one row.
    package let flat: Tensor
    /// The elements of each parameter, by the index of its entry: made once, not at every use.
    private let tensors: [Tensor]

    /// All zeros, in the backend's memory.
    package init(zerosFor layout: ParameterLayout, on backend: any Backend) {
        self.layout = layout
        let storage = backend.allocate(layout.count)
        flat = storage.tensor
        tensors = layout.entries.map { storage.tensor(at: $0.offset, rows: $0.rows, columns: $0.columns) }
    }

    /// The elements of a parameter.
    package subscript(_ parameter: Parameter) -> Tensor { tensors[parameter.index] }

    /// The elements of an entry of the layout.
    package subscript(_ entry: ParameterLayout.Entry) -> Tensor {
        flat.columns(entry.offset..<entry.offset + entry.count).reshaped(entry.rows, entry.columns)
    }

    /// The parameter called `name` in model files, nil if there is none. O(parameters).
    package subscript(named name: String) -> Tensor? {
        layout.entries.first { $0.name == name }.map { self[$0] }
    }
}
