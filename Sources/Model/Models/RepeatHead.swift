package import Tensors

/// The repeat-aware head: a learned number is added to the logit of each item that the history already holds, chosen by
/// how long ago the item last occurred and by how often it did, among the last ``window`` events.
///
/// Not part of the paper. Films are rarely watched twice, songs are often repeated. The recurrence hardly learns this in a few
/// epochs, because it would have to encode every item of the history in one vector; the head needs 40 numbers.
package enum RepeatHead {
    /// Events since the last occurrence, in powers of two: 1, 2–3, 4–7, ..., 512 and more.
    static let recencies = 10
    /// Occurrences: 1, 2, 3, 4 and more.
    static let counts = 4
    /// How many of the last events of a history count, which bounds the cost of a row.
    static let window = 1024
    /// What a weight of 1 adds to a logit. Adam changes weights by about the learning rate in a step; with this scale a thousand
    /// steps are enough to make e^logit vanish.
    package static let scale: Float = 10

    /// The classes of items of a history.
    package static let classes = OccurrenceClasses(window: window, recencies: recencies, counts: counts)
}

/// The distinct items in a sliding window: the last ``RepeatHead/window`` events before `end`.
struct RecentEvents {
    private let events: [Int32]
    /// For each event the last three of the same item before it, nearest first; −1 where there is none.
    private let earlier: [SIMD4<Int32>]
    /// Positions of the last occurrence of each item, ascending.
    private var positions: [Int32]
    private var oldest = 0
    private var end: Int

    /// The window before `end`, which must be at most the window's length.
    init(_ events: [Int32], before end: Int) {
        var (earlier, last): ([SIMD4<Int32>], [Int32: Int]) = ([], [:])
        var isLast = [Bool](repeating: true, count: end)
        earlier.reserveCapacity(events.count)
        for (position, item) in events.enumerated() {
            let before = last.updateValue(position, forKey: item)
            let chain = before.map { earlier[$0] }
            earlier.append(SIMD4(Int32(before ?? -1), chain?[0] ?? -1, chain?[1] ?? -1, -1))
            if let before, position < end { isLast[before] = false }
        }
        positions = (0..<Int32(end)).filter { isLast[Int($0)] }
        self.events = events
        self.earlier = earlier
        self.end = end
    }

    /// Moves the window on by one event.
    mutating func advance() {
        let before = earlier[end][0]
        if before >= oldest { positions.remove(at: positions.firstIndex(of: before)!) }
        positions.append(Int32(end))
        end += 1
        oldest = max(0, end - RepeatHead.window)
        if positions[0] < oldest { positions.removeFirst() }
    }

    /// The items, the one longest ago first.
    func items() -> [Int32] { positions.map { events[Int($0)] } }

    /// The class of each item of ``items()``.
    func kinds() -> [Int32] {
        let oldest = Int32(oldest)
        return positions.map { position in
            let chain = earlier[Int(position)]
            let more = (chain[0] >= oldest ? 1 : 0) + (chain[1] >= oldest ? 1 : 0) + (chain[2] >= oldest ? 1 : 0)
            return RepeatHead.classes.number(recency: end - Int(position), count: 1 + more)
        }
    }
}
