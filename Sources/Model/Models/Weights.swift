import Tensors

/// The weights of a model, or anything of the same shape (gradients, moments): one block and its layout.
package struct Weights: Sendable {
    /// The shape of the model.
    package let configuration: ModelConfiguration
    /// Where each weight lies.
    package let layout: WeightLayout
    /// The block.
    package let storage: Storage<Float>

    /// All zeros, in the backend's memory.
    package init(zerosFor configuration: ModelConfiguration, on backend: some Backend) {
        self.configuration = configuration
        layout = WeightLayout(configuration)
        storage = backend.allocate(layout.count)
    }

    /// The whole block as one row.
    package var flat: Tensor { storage.tensor }

    /// The weight of an entry.
    package func tensor(_ entry: WeightLayout.Entry) -> Tensor {
        Tensor(base: storage.base + entry.offset, rows: entry.rows, columns: entry.columns)
    }

    /// The weight called `name` in model files, nil if there is none.
    package func tensor(named name: String) -> Tensor? {
        layout.entries.first { $0.name == name }.map(tensor)
    }

    /// Item embedding [V + 1, D]; row 0 is padding.
    package var embedding: Tensor { self[layout.embedding] }

    /// One value a kind of repeat [1, B]; nil without a repeat-aware head.
    var repeatBias: Tensor? {
        layout.repeatBias.map { self[$0] }.map { $0.reshaped(1, $0.count) }
    }

    subscript(_ index: Int) -> Tensor { tensor(layout.entries[index]) }

    func norm(_ norm: WeightLayout.Norm) -> NormParameters {
        NormParameters(scale: self[norm.scale], shift: self[norm.shift], epsilon: configuration.normEpsilon)
    }
}
