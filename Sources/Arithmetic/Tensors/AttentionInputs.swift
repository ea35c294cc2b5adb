/// The inputs and the bias of attention, or the gradients with respect to them.
package struct AttentionInputs: Sendable {
    /// [N, D], may be strided.
    package var queries: Tensor
    /// [N, 2D], may be strided: the keys, then the values.
    package var memory: Tensor
    /// [1, W]: element d is added to the score of the event d events ago; d = 0 is the event itself.
    package var bias: Tensor

    package init(queries: Tensor, memory: Tensor, bias: Tensor) {
        self.queries = queries
        self.memory = memory
        self.bias = bias
    }

    /// D, the width of a query, a key and a value.
    package var width: Int { queries.columns }
    /// W: how many events an event attends to, itself included.
    package var span: Int { bias.count }
}
