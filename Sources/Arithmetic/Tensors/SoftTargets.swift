/// Scores of N rows over a catalogue: hidden · tableᵀ plus a bias.
package struct Scores: Sendable {
    /// [N, D'], of any width.
    package var hidden: Tensor
    /// [V, D'].
    package var table: Tensor
    package var bias: SparseBias?

    package init(hidden: Tensor, table: Tensor, bias: SparseBias?) {
        (self.hidden, self.table, self.bias) = (hidden, table, bias)
    }
}

/// What a cross-entropy compares predictions with beside the target item (knowledge distillation: Hinton, Vinyals & Dean 2015). With K
/// teachers the target distribution of a row is
///
///     q = (1 − share) · δ(target) + share / K · Σ_k softmax(teachers[k])
package struct SoftTargets: Sendable {
    /// At least one, over the same catalogue and rows.
    package var teachers: [Scores]
    /// In [0, 1].
    package var share: Float

    package init(_ teachers: [Scores], share: Float) { (self.teachers, self.share) = (teachers, share) }

    /// The weight of one teacher's prediction.
    package var weight: Float { share / Float(teachers.count) }
}
