/// The transition head: a learned number is added to the logit of each item that followed one of the last events in training, chosen by how
/// recent that event is and by how often the item followed.
///
/// Not part of the paper. Where items are rare, the embedding of an item has few events to learn from who comes after whom, and counts say it at
/// once. In training the event that is predicted is taken out of the counts: otherwise they would hold the answer.
package enum TransitionHead {
    /// How many of the last events say something.
    package static let sources = TransitionCounts.reach
    /// Classes of counts, in powers of two: 1, 2–3, 4–7, ..., 128 and more.
    package static let counts = 8

    /// The class of an item that followed the events of the window `count` times in all, the nearest of them `distance` events ago, from 0.
    package static func number(distance: Int, count: Int32) -> Int32 {
        let power = Int32.bitWidth - 1 - count.leadingZeroBitCount
        return Int32(distance * counts + min(power, counts - 1))
    }
}

/// Finds table rows in a list that grows: a hash table with linear probing.
struct RowPlaces {
    private var rows: [Int32] = []
    private var places: [Int32] = []

    /// Forgets all rows, and makes room for `count`.
    mutating func empty(for count: Int) {
        let size = 1 << (Int.bitWidth - (2 * max(32, count) - 1).leadingZeroBitCount)
        if rows.count < size {
            (rows, places) = (Array(repeating: -1, count: size), Array(repeating: 0, count: size))
        } else {
            rows.withUnsafeMutableBufferPointer { $0.update(repeating: -1) }
        }
    }

    /// The place of a row; where it is new, `next` becomes its place, and the result is nil. O(1) on average.
    mutating func place(of row: Int32, orNew next: Int) -> Int? {
        let mask = rows.count - 1
        var slot = (Int(row) &* 0x9E37_79B1) >> 12 & mask
        while rows[slot] != -1 {
            if rows[slot] == row { return Int(places[slot]) }
            slot = (slot + 1) & mask
        }
        (rows[slot], places[slot]) = (row, Int32(next))
        return nil
    }
}
