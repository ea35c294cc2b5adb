import Identifiers
import Layers
import Tensors

/// For some rows of a batch, the items whose scores the repeat-aware and the transition head change, and their classes: the content of a
/// ``SparseBias``. An item has one class: that of the repeat-aware head where the history holds it.
struct HeadEntries {
    private(set) var starts: [Int32] = [0]
    /// Rows of the item table.
    private(set) var columns: [Int32] = []
    private(set) var kinds: [Int32] = []
    private let repeatAware: Bool
    private let transitions: TransitionCounts?
    /// The number of the transition head's first class.
    private let firstTransition: Int32
    private var places = RowPlaces()

    /// No rows, with capacity for `longRows` rows of long histories.
    init(_ model: SequenceModel, longRows: Int = 0) {
        repeatAware = model.configuration.repeatAware
        transitions = model.transitions
        firstTransition = Int32(model.network.firstTransition)
        if repeatAware {
            columns.reserveCapacity(longRows * RepeatHead.window)
            kinds.reserveCapacity(longRows * RepeatHead.window)
        }
    }

    /// Whether a class is the transition head's.
    func isTransition(_ kind: Int32) -> Bool { kind >= firstTransition }

    /// Appends rows whose scores nothing is added to.
    mutating func appendEmptyRows(_ count: Int) {
        starts.append(contentsOf: repeatElement(Int32(columns.count), count: count))
    }

    /// Appends one row for each position in `rows`, whose history is the events up to and including it. In training `targets` are the rows'
    /// targets: each is taken out of the counts of transitions. O(rows · (window + transitions)) time.
    mutating func append(
        _ rows: Range<Int>, of history: some RandomAccessCollection<ItemID>, targets: ArraySlice<Int32>? = nil
    ) {
        let first = max(0, rows.lowerBound - RepeatHead.window + 1)
        let events = history.dropFirst(first).prefix(rows.upperBound - first).map { Int32($0.row) }
        var recent = repeatAware ? RecentEvents(events, before: rows.lowerBound - first) : nil
        for (n, row) in rows.enumerated() {
            let start = columns.count
            recent?.advance()
            if let recent {
                columns.append(contentsOf: recent.items())
                kinds.append(contentsOf: recent.kinds())
            }
            if let transitions {
                let latest = events[...(row - first)].suffix(TransitionHead.sources)
                append(transitions, after: latest, target: targets.map { $0[$0.startIndex + n] }, seen: start)
            }
            starts.append(Int32(columns.count))
        }
    }

    /// Appends the successors of the latest events that are not among the entries from `seen` on.
    private mutating func append(
        _ transitions: TransitionCounts, after latest: ArraySlice<Int32>, target: Int32?, seen: Int
    ) {
        let first = columns.count
        places.empty(for: first - seen + TransitionHead.sources * TransitionCounts.limit)
        for place in seen..<first { _ = places.place(of: columns[place], orNew: place) }
        var found: [(distance: Int, count: Int32)] = []
        for (distance, event) in latest.reversed().enumerated() {
            let times = Int32(latest.count { $0 == event })
            transitions.forEachSuccessor(of: event, without: target, times: times) { row, count in
                guard let place = places.place(of: row, orNew: columns.count) else {
                    columns.append(row)
                    return found.append((distance, count))
                }
                if place >= first { found[place - first].count += count }
            }
        }
        kinds += found.map { firstTransition + TransitionHead.number(distance: $0.distance, count: $0.count) }
    }
}

extension Network {
    /// Positions in the block of parameters of the numbers that the heads add: first the repeat-aware one's. Nil without heads.
    private var headRange: Range<Int>? {
        let ranges = [repeatBias, transitionBias].compactMap { $0.map(layout.range(of:)) }
        guard let first = ranges.first, let last = ranges.last else { return nil }
        return first.lowerBound..<last.upperBound
    }

    /// The position of the transition head's first number among those of both heads; behind them all where there is none.
    fileprivate var firstTransition: Int {
        guard let range = headRange else { return 0 }
        return (transitionBias.map { layout.range(of: $0).lowerBound } ?? range.upperBound) - range.lowerBound
    }

    /// [1, B]: the numbers that the heads add, or their gradients; nil without heads.
    func headValues(_ block: Parameters) -> Tensor? { headRange.map { block.flat.columns($0) } }
}
