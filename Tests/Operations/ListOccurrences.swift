import Tensors

/// The distinct items of each event's history.
struct ListOccurrences: Sendable {
    var events, window, items: Int
    /// The largest number of events before each sequence.
    var mostEarlier: Int

    var operation: OperationCase {
        OperationCase(.listOccurrences, "\(self)", flops: 0) { [self] arguments in
            let starts = arguments.randomStarts(events, withEmpty: false)
            let earlier = starts.dropFirst().map { _ in Int32(arguments.integer(in: 0...mostEarlier)) }
            let (historyStarts, places) = (historyStarts(starts, earlier), places(starts, earlier))
            let classes = OccurrenceClasses(window: window, recencies: 5, counts: 4)
            let capacity = Int(places.last!)
            let bias = SparseBias(
                starts: arguments.indices("places", places), columns: arguments.outputIndices("columns", capacity),
                kinds: arguments.outputIndices("kinds", capacity), values: arguments.input("values", 1, 20), scale: 1)
            let count = Int(historyStarts.last!) + (events % 3 == 0 ? 5 : 0)
            let histories = arguments.indices(
                "histories", arguments.rowNumbers(count, below: items))
            let (historyIndices, startIndices) = (
                arguments.indices("history starts", historyStarts), arguments.indices("starts", starts)
            )
            return {
                let backend = arguments.backend
                backend.listOccurrences(
                    in: histories, historyStarts: historyIndices, starts: startIndices, classes: classes, into: bias)
                let (columns, kinds) = (backend.download(bias.columns), backend.download(bias.kinds))
                // In any order within an event.
                let lists = (0..<events).flatMap { n in
                    (Int(places[n])..<Int(places[n + 1])).map { Int(columns[$0]) * 20 + Int(kinds[$0]) }.sorted()
                }
                arguments.report("columns and kinds", exactly: lists)
            }
        }
    }

    private func historyStarts(_ starts: [Int32], _ earlier: [Int32]) -> [Int32] {
        earlier.indices.reduce(into: [0]) { $0.append($0[$1] + earlier[$1] + starts[$1 + 1] - starts[$1]) }
    }

    /// Where each event's list begins; the last events have none.
    private func places(_ starts: [Int32], _ earlier: [Int32]) -> [Int32] {
        var places: [Int32] = [0]
        for s in earlier.indices {
            for row in starts[s]..<starts[s + 1] {
                let isListed = Int(row) < max(1, events - 3)
                places.append(places.last! + (isListed ? min(earlier[s] + row - starts[s] + 1, Int32(window)) : 0))
            }
        }
        return places
    }

    /// Windows shorter and longer than sequences, few items and many, with events before the sequences and without; some events
    /// at the end are not listed, and the histories have spare capacity.
    static let cases: [OperationCase] = lengths.flatMap { events in
        [(3, 1, 2), (7, 40, 0), (1024, 5, 0), (33, 300, 40), (40, 9, 70)].map { window, items, mostEarlier in
            ListOccurrences(events: events, window: window, items: items, mostEarlier: mostEarlier).operation
        }
    }
}
