import Identifiers
package import Tensors

/// X₀ = LayerNorm(dropout(E[items])), without positions.
package struct ItemEmbedding: Sendable {
    /// E [V + 1, D]: an item's row is its number, from 1; row 0, padding in model files, stays zero.
    package let table: Parameter
    private let norm: ResidualNorm

    package init(itemCount: Int, size: Int, epsilon: Float, in layout: inout ParameterLayout) {
        table = layout.matrix("item_embedding", itemCount + 1, size, .normal(zeroRows: 1))
        norm = ResidualNorm("embedding_norm", size, epsilon: epsilon, dropoutAt: .embedding, in: &layout)
    }

    /// Computes X₀, the output of the activations. `items` [N] are item numbers.
    package func forward(_ items: Indices, _ activations: ResidualNorm.Activations, _ pass: Pass) {
        pass.backend.gather(items, from: pass.weights[table], into: activations.input.prefix(pass.tokens))
        norm.forward(activations, residual: nil, pass)
    }

    /// Adds the gradients of E and of the norm. `scratch` is [N, D].
    package func backward(
        _ gradient: Tensor, _ items: Indices, _ activations: ResidualNorm.Activations, scratch: Tensor, _ pass: Pass,
        _ gradients: Parameters
    ) {
        norm.backward(gradient, activations, into: scratch, residual: nil, pass, gradients)
        pass.backend.scatterAdd(scratch, to: items, of: gradients[table])
    }
}

extension Parameters {
    /// The rows of an embedding that are items [V, D], without padding: row r is the item with ``ItemID/row`` r.
    package func itemTable(_ embedding: ItemEmbedding) -> Tensor {
        self[embedding.table].rows(1..<embedding.table.rows)
    }
}
