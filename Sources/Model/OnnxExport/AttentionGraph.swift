import Models

extension LayerGraph {
    /// Attention over the last W events, of which `state` [B, W − 1, 2D] has the keys and values of those before.
    func attention(_ x: Value, _ state: [Value], _ name: String) -> (Value, [Value]) {
        let (size, window) = (shape.hiddenSize, shape.attentionWindow)
        let parts = linear(x, name + "input_projection").split([size, 2 * size], axis: 2)
        let memory = state[0].joined(with: parts[1], axis: 1)
        let (keys, values) = (
            memory.slice(axis: 2, from: 0, to: size), memory.slice(axis: 2, from: size, to: 2 * size)
        )
        let products = parts[0].multiplied(by: keys.transposed([0, 2, 1])) * (1 / Float(size).squareRoot())
        let weights = (products + distanceBias(x, memory, name)).softmax()
        return (weights.multiplied(by: values), [passage.memory(memory, count: window - 1)])
    }

    /// b_d for the distance d of each event [T, 1] from what it can attend to [1, W − 1 + T], −∞ where d is not in 0 ..< W: [T, W − 1 + T].
    private func distanceBias(_ x: Value, _ memory: Value, _ name: String) -> Value {
        let farthest = shape.attentionWindow - 1
        func numbers(below count: Value) -> Value {
            graph.node("Range", [graph.integers([0], []), count.squeezed(0), graph.integers([1], [])])
        }
        let distance = numbers(below: x.size(1)).plus(farthest).unsqueezed(1) - numbers(below: memory.size(1))
        let (nearest, last) = (graph.integers([0], []), graph.integers([farthest], []))
        let isInside = distance.isAtLeast(nearest).and(last.isAtLeast(distance))
        return vector(name + "distance_bias").gather(distance.atLeast(nearest).atMost(last))
            .chosen(where: isInside, else: graph.floats([-.infinity], []))
    }
}
