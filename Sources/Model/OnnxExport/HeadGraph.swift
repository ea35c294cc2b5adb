import Models
import Tensors

/// The repeat-aware and the transition head as nodes of a graph. What they know of a history are its last events `recent` [B, R], oldest first, as rows
/// of the item table plus 1; 0 is no event.
struct HeadGraph {
    let layers: LayerGraph
    let recent: Value
    private var graph: GraphBuilder { layers.graph }
    /// [B, V + 1] of zeros: column 0 is for what is no item.
    private let zeros: Value
    /// How often each item is among the recent ones [B, V + 1]; nil without a repeat-aware head.
    private let occurrences: Value?

    init(_ layers: LayerGraph, recent: Value) {
        (self.layers, self.recent) = (layers, recent)
        let graph = layers.graph
        let width = graph.integers([layers.shape.itemCount + 1])
        zeros = graph.floats([0], [1, 1]).expanded(to: recent.size(0).joined(with: width, axis: 0))
        let one = graph.floats([1], [1, 1]).expanded(to: graph.node("Shape", [recent]))
        occurrences = layers.shape.repeatAware ? zeros.scattering(one, at: recent, .add) : nil
    }

    /// Scores [B, V] with what the heads add.
    func adding(to scores: Value) -> Value {
        var scores = scores
        if let occurrences { scores = addingRepeats(occurrences, to: scores) }
        if let transitions = layers.model.transitions { scores = addingSuccessors(of: transitions, to: scores) }
        return scores
    }

    /// The last occurrence of each item in the window has the item's class: by its position, and by how often the item is in the window.
    private func addingRepeats(_ occurrences: Value, to scores: Value) -> Value {
        let classes = RepeatHead.classes
        let positions = graph.floats((1...classes.window).map(Float.init), [1, classes.window])
            .expanded(to: graph.node("Shape", [recent]))
        let isLast = zeros.scattering(positions, at: recent, .max).elements(at: recent).equals(positions)
        let recencies = (0..<classes.window).map { Int(classes.number(recency: classes.window - $0, count: 1)) }
        let more = (occurrences.elements(at: recent).atMost(graph.floats([Float(classes.counts)], []))).cast(to: .int64)
            .plus(-1)
        let kinds = graph.integers(recencies, [1, classes.window]) + more
        return adding("repeat_bias", kinds, where: isLast, rows: recent, to: scores)
    }

    /// The successors of the last three events, each counted over all of them; the nearest event that has it gives its class.
    private func addingSuccessors(of transitions: TransitionCounts, to scores: Value) -> Value {
        let (sources, limit) = (TransitionHead.sources, TransitionCounts.limit)
        let table = SuccessorTable(transitions)
        func look(_ values: [Int32], _ name: String) -> Value {
            graph.constant(values, [values.count / limit, limit], named: name)
                .gather(recent.slice(axis: 1, from: -sources)).reshaped([0, sources * limit])
        }
        let rows = look(table.rows, "transitions.successors").cast(to: .int64)
        let counts = look(table.counts, "transitions.counts").cast(to: .float)
        let nearness = (0..<sources * limit).map { $0 / limit + 1 }
        let nearest = graph.floats(nearness.map(Float.init), [1, nearness.count])
            .expanded(to: graph.node("Shape", [rows]))
        var isFirst = zeros.scattering(nearest, at: rows, .max).elements(at: rows).equals(nearest)
        if let occurrences {
            isFirst = isFirst.and(occurrences.elements(at: rows).isLess(than: graph.floats([1], [])))
        }
        let total = zeros.scattering(counts, at: rows, .add).elements(at: rows)
        let powers = (1..<TransitionHead.counts).map { Float(1 << $0) }
        let power = total.unsqueezed(2).isAtLeast(graph.floats(powers, [powers.count])).cast(to: .int64).sum()
        let kinds =
            power
            + graph.integers(
                nearness.map { Int(TransitionHead.number(distance: sources - $0, count: 1)) }, [1, nearness.count])
        return adding("transition_bias", kinds, where: isFirst, rows: rows, to: scores)
    }

    /// Adds the numbers of classes `kinds` [B, P] to the scores of items `rows` [B, P], each plus 1, where the condition holds and there is an item.
    private func adding(
        _ name: String, _ kinds: Value, where condition: Value, rows: Value, to scores: Value
    ) -> Value {
        let numbers = layers.weight(name).numbers.map { $0 * RepeatHead.scale }
        let bias = graph.constant(numbers, [numbers.count], named: name + ".scaled")
        let isItem = rows.isAtLeast(graph.integers([1], []))
        let added = bias.gather(kinds).chosen(where: condition.and(isItem), else: graph.floats([0], []))
        return scores.scattering(added, at: rows.plus(-1).atLeast(graph.integers([0], [])), .add)
    }
}

/// The successors of each item as a table of ``TransitionCounts/limit`` columns: rows of items plus 1, 0 where there are fewer. Row 0 is no item's.
private struct SuccessorTable {
    private(set) var rows: [Int32]
    private(set) var counts: [Int32]

    init(_ transitions: TransitionCounts) {
        let (limit, items) = (TransitionCounts.limit, transitions.starts.count - 1)
        rows = [Int32](repeating: 0, count: (items + 1) * limit)
        counts = rows
        for item in 0..<items {
            let list = Int(transitions.starts[item])..<Int(transitions.starts[item + 1])
            for (column, place) in list.prefix(limit).enumerated() {
                rows[(item + 1) * limit + column] = transitions.successors[place] + 1
                counts[(item + 1) * limit + column] = transitions.counts[place]
            }
        }
    }
}
