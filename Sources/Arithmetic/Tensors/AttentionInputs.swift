/// What an attention reads, or the gradients of the same things.
package struct AttentionInputs: Sendable {
    /// [N, D], may be strided.
    package var queries: Tensor
    /// [N, 2D], may be strided: the keys, then the values.
    package var memory: Tensor
    /// [1, W]: added to the score of the event so many events ago; the first is for the event itself.
    package var bias: Tensor

    /// What the events ask, what they are asked for, and the bias.
    package init(queries: Tensor, memory: Tensor, bias: Tensor) {
        self.queries = queries
        self.memory = memory
        self.bias = bias
    }

    /// D.
    package var width: Int { queries.columns }
    /// W: how many events an event attends to, itself included.
    package var span: Int { bias.count }
}
