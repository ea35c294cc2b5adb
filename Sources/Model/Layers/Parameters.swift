package import Tensors

/// One number for each element of a model's parameters: its weights, their gradients, or an optimiser's moments.
package final class Parameters: Sendable {
    /// The offsets of the parameters.
    package let layout: ParameterLayout
    /// The whole block as one row.
    package let flat: Tensor
    /// The elements of each parameter, by the index of its entry. They own nothing: threads that share a model would take turns at counting
    /// the references to its one block, a third of a step's time.
    private let tensors: [Tensor]

    /// All zeros, in the backend's memory.
    package init(zerosFor layout: ParameterLayout, on backend: any Backend) {
        self.layout = layout
        let storage = backend.allocate(layout.count)
        flat = storage.tensor
        tensors = layout.entries.map {
            Tensor(storage.pointer + $0.offset, rows: $0.rows, columns: $0.columns, in: storage.space)
        }
    }

    /// The elements of a parameter, valid as long as this object: for a pass, which keeps its weights.
    package subscript(_ parameter: Parameter) -> Tensor { tensors[parameter.index] }

    /// The elements of an entry of the layout; they keep the block alive.
    package subscript(_ entry: ParameterLayout.Entry) -> Tensor {
        flat.columns(entry.offset..<entry.offset + entry.count).reshaped(entry.rows, entry.columns)
    }

    /// The elements of a parameter, which keep the block alive: for whoever has no hold on this object.
    package func retained(_ parameter: Parameter) -> Tensor { self[layout.entries[parameter.index]] }

    /// The parameter called `name` in model files, nil if there is none. O(parameters).
    package subscript(named name: String) -> Tensor? {
        layout.entries.first { $0.name == name }.map { self[$0] }
    }
}
