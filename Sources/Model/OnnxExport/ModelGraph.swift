import Models

/// One of the two graphs of a model, whole: from items to scores.
struct ModelGraph {
    private let model: SequenceModel
    private let graph: GraphBuilder
    private var shape: ModelConfiguration { model.configuration }

    /// `step`: (state, item) → (new_state, hidden, scores).
    static func step(_ model: SequenceModel) -> GraphBuilder {
        let whole = ModelGraph(model, "step")
        let graph = whole.graph
        let state = graph.input(
            "state", .float, whole.stateShape,
            "What is remembered of each user: initial_state, or the new_state of the event before.")
        let item = graph.input(
            "item", .int64, [.any("batch")], "The item of each user's event, by its position in items, from 0.")
        let times = whole.timeInputs("time", [.any("batch")])
        whole.add(
            .step, items: item.unsqueezed(1), state: state, times: times.map { ($0.unsqueezed(1), $1) },
            stateName: "new_state")
        return graph
    }

    /// `encode`: (items, lengths) → (state, hidden, scores).
    static func encode(_ model: SequenceModel) -> GraphBuilder {
        let whole = ModelGraph(model, "encode")
        let graph = whole.graph
        let size: [GraphBuilder.Dimension] = [.any("batch"), .any("length")]
        let items = graph.input(
            "items", .int64, size,
            "Histories, oldest event first, by positions in items, from 0; anything from 0 behind their ends.")
        let lengths = graph.input("lengths", .int64, [.any("batch")], "The number of events of each history, from 1.")
        let times = whole.timeInputs("times", size)
        let first = model.onnxInitialState
        let initial = graph.constant(first, [1, first.count], named: "initial_state")
        // A length of 0 becomes one that is out of range: −1 would be the last position.
        let known = lengths.chosen(
            where:
                lengths.isAtLeast(graph.integers([1], [])), else: graph.integers([1 << 40], []))
        let state = initial.expanded(to: items.size(0).joined(with: graph.integers([first.count]), axis: 0))
        whole.add(.histories(lengths: known), items: items, state: state, times: times, stateName: "state")
        return graph
    }

    private init(_ model: SequenceModel, _ name: String) {
        self.model = model
        graph = GraphBuilder(name)
    }

    private var stateShape: [GraphBuilder.Dimension] { [.any("batch"), .size(model.onnxInitialState.count)] }

    private func timeInputs(_ name: String, _ size: [GraphBuilder.Dimension]) -> (Value, Value)? {
        guard shape.usesTime else { return nil }
        return (
            graph.input(name, .int64, size, "When the events happened, in whole seconds since 1970-01-01 UTC."),
            graph.input(
                "asked_at", .int64, [.any("batch")],
                "When it is asked what comes next, likewise; 0 (any time before the last event): nothing is known of the time since."
            )
        )
    }

    /// From items [B, T] and the state before them [B, S] to the outputs.
    private func add(
        _ passage: Passage, items: Value, state: Value, times: (Value, Value)?, stateName: String
    ) {
        let layout = StateLayout(shape)
        let parts = state.split(layout.parts.map(\.size), axis: 1)
        let clock = times.map {
            TimeGraph($0, askedAt: $1, state: parts[layout.timePart], passage, width: shape.recurrenceSize)
        }
        let layers = LayerGraph(model: model, graph: graph, passage: passage, times: clock)
        let table = layers.itemTable()
        // A negative number would count from behind: it becomes one that is out of range.
        let known = items.chosen(
            where: items.isAtLeast(graph.integers([0], [])), else: graph.integers([shape.itemCount], []))
        var (hidden, next) = encode(table.gather(known), parts, layout, layers)
        if let clock { next.append(clock.state) }
        var scores = graph.node("Gemm", [hidden, table], [.integer("transB", 1)])
        if shape.hasHeads {
            let events = parts[parts.count - 1].cast(to: .int64).joined(with: known.plus(1), axis: 1)
            let recent = passage.memory(events, count: shape.repeatWindow)
            next.append(recent.cast(to: .float))
            scores = HeadGraph(layers, recent: recent).adding(to: scores)
        }
        addOutputs(Value.joined(next, axis: 1), named: stateName, hidden, scores)
    }

    /// The hidden vectors [B, D] after the last of these events [B, T, D], and the parts of the state that layers have, in their order.
    private func encode(
        _ events: Value, _ parts: [Value], _ layout: StateLayout, _ layers: LayerGraph
    ) -> (hidden: Value, state: [Value]) {
        var (x, next) = (layers.norm(events, "embedding_norm"), [Value]())
        for index in 0..<shape.layerCount {
            let own = layout.layerParts(index)
            let before = zip(parts[own], layout.parts[own]).map { $0.reshaped([0, $1.rows, $1.width]) }
            let after: [Value]
            (x, after) = layers.layer(index, x, before, isLast: index == shape.layerCount - 1)
            next += zip(after, layout.parts[own]).map { $0.reshaped([0, $1.size]) }
        }
        return (x.squeezed(1), next)
    }

    private func addOutputs(_ state: Value, named stateName: String, _ hidden: Value, _ scores: Value) {
        graph.output(state, stateName, .float, stateShape, "What is remembered after the last event.")
        graph.output(
            hidden, "hidden", .float, [.any("batch"), .size(shape.hiddenSize)],
            "After the last event; its products with the item vectors are the scores, but for what heads add.")
        graph.output(
            scores, "scores", .float, [.any("batch"), .size(shape.itemCount)],
            "The logit of each item, by its position in items.")
    }
}
