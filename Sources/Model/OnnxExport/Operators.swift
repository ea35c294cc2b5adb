/// The operators of ONNX that the model needs, version 18, with the names that the formulas have. Their meaning: https://onnx.ai/onnx/operators.
extension Value {
    static let operatorSet = 18

    func sigmoid() -> Value { graph.node("Sigmoid", [self]) }
    func silu() -> Value { self * sigmoid() }
    func exponential() -> Value { graph.node("Exp", [self]) }
    func logarithm() -> Value { graph.node("Log", [self]) }
    func squareRoot() -> Value { graph.node("Sqrt", [self]) }
    func hyperbolicTangent() -> Value { graph.node("Tanh", [self]) }
    func sine() -> Value { graph.node("Sin", [self]) }
    func cosine() -> Value { graph.node("Cos", [self]) }
    func magnitude() -> Value { graph.node("Abs", [self]) }
    func rectified() -> Value { graph.node("Relu", [self]) }
    func negated() -> Value { graph.node("Neg", [self]) }

    /// Of integers.
    func plus(_ number: Int) -> Value { self + graph.integers([number], []) }
    /// Of integers; the sign is the divisor's.
    func remainder(_ divisor: Int) -> Value { graph.node("Mod", [self, graph.integers([divisor], [])]) }
    func atLeast(_ bound: Value) -> Value { graph.node("Max", [self, bound]) }
    func atMost(_ bound: Value) -> Value { graph.node("Min", [self, bound]) }

    func isLess(than other: Value) -> Value { graph.node("Less", [self, other]) }
    func isAtLeast(_ other: Value) -> Value { graph.node("GreaterOrEqual", [self, other]) }
    func equals(_ other: Value) -> Value { graph.node("Equal", [self, other]) }
    func and(_ other: Value) -> Value { graph.node("And", [self, other]) }
    /// This where the condition holds, the other elsewhere.
    func chosen(where condition: Value, else other: Value) -> Value { graph.node("Where", [condition, self, other]) }

    func cast(to element: GraphBuilder.Element) -> Value {
        graph.node("Cast", [self], [.integer("to", element.number.rawValue)])
    }

    func multiplied(by matrix: Value) -> Value { graph.node("MatMul", [self, matrix]) }
    /// Its dimensions in another order.
    func transposed(_ order: [Int]) -> Value { graph.node("Transpose", [self], [.integers("perm", order)]) }
    func softmax() -> Value { graph.node("Softmax", [self], [.integer("axis", -1)]) }
    /// Over the last dimension, which stays, of size 1.
    func mean() -> Value { graph.node("ReduceMean", [self, graph.integers([-1])]) }
    /// Over the last dimension, which goes.
    func sum() -> Value { graph.node("ReduceSum", [self, graph.integers([-1])], [.integer("keepdims", 0)]) }

    /// 0 in the shape leaves a dimension as it is. Never −1, for which a runtime divides by the other dimensions: batches can be empty.
    func reshaped(_ shape: [Int]) -> Value { graph.node("Reshape", [self, graph.integers(shape)]) }
    func expanded(to shape: Value) -> Value { graph.node("Expand", [self, shape]) }
    func unsqueezed(_ axis: Int) -> Value { graph.node("Unsqueeze", [self, graph.integers([axis])]) }
    func squeezed(_ axis: Int) -> Value { graph.node("Squeeze", [self, graph.integers([axis])]) }
    /// The size of a dimension, a list of one.
    func size(_ axis: Int) -> Value {
        graph.node("Shape", [self], [.integer("start", axis), .integer("end", axis + 1)])
    }

    func joined(with others: Value..., axis: Int) -> Value { Value.joined([self] + others, axis: axis) }
    static func joined(_ values: [Value], axis: Int) -> Value {
        values.count == 1 ? values[0] : values[0].graph.node("Concat", values, [.integer("axis", axis)])
    }
    func split(_ sizes: [Int], axis: Int) -> [Value] {
        sizes.count == 1
            ? [self]
            : graph.nodes(
                "Split", [self, graph.integers(sizes)], [.integer("axis", axis)], outputs: sizes.count)
    }
    /// The part from `start` until before `end`; negative positions count from behind.
    func slice(axis: Int, from start: Int, to end: Int = Int(Int32.max)) -> Value {
        graph.node("Slice", [self, graph.integers([start]), graph.integers([end]), graph.integers([axis])])
    }

    /// The rows with these numbers.
    func gather(_ rows: Value) -> Value { graph.node("Gather", [self, rows]) }
    /// For each row of a batch the elements [B, P, …] at its own positions [B, P].
    func gather(inEachRow positions: Value) -> Value {
        graph.node("GatherND", [self, positions.unsqueezed(-1)], [.integer("batch_dims", 1)])
    }
    /// The element of each row [B, N] at its own positions [B, P].
    func elements(at positions: Value) -> Value {
        graph.node("GatherElements", [self, positions], [.integer("axis", 1)])
    }
    /// Each row [B, N], with numbers [B, P] added, or compared, at its own positions [B, P].
    func scattering(_ numbers: Value, at positions: Value, _ reduction: Reduction) -> Value {
        graph.node(
            "ScatterElements", [self, positions, numbers],
            [.integer("axis", 1), .text("reduction", reduction.rawValue)])
    }

    enum Reduction: String {
        case add, max
    }
}
