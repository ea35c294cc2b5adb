/// A set of table rows, one bit for each row of the table. Copies share memory until one changes.
package struct RowSet: Sendable, Equatable {
    /// Number of rows in the table.
    package let rowCount: Int
    /// Row r is bit r % 64 of word r / 64. Bits past the last row are not set.
    package private(set) var words: [UInt64]

    /// No row of a table of `rowCount`, or all.
    package init(rowCount: Int, all: Bool = false) {
        self.rowCount = rowCount
        words = [UInt64](repeating: all ? .max : 0, count: (rowCount + 63) / 64)
        if all, rowCount % 64 > 0 { words[words.count - 1] = 1 << UInt64(rowCount % 64) - 1 }
    }

    /// These rows; those that the table does not have are left out.
    package init(rowCount: Int, _ rows: some Sequence<Int32>) {
        self.init(rowCount: rowCount)
        for row in rows { insert(row) }
    }

    /// Number of rows in the set. O(rows / 64).
    package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Calls `body` with each row, ascending. O(rows / 64 + count).
    package func forEach(_ body: (Int32) -> Void) {
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                body(Int32(64 * index + rest.trailingZeroBitCount))
                rest &= rest - 1
            }
        }
    }

    /// Whether there is no row. O(rows / 64) at most.
    package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    /// Whether the set has this row.
    package func contains(_ row: Int32) -> Bool { has(row) && words[Int(row) / 64] >> UInt64(row % 64) & 1 == 1 }

    /// Adds a row, if the table has it.
    package mutating func insert(_ row: Int32) { if has(row) { words[Int(row) / 64] |= 1 << UInt64(row % 64) } }

    /// Removes a row, if it is there.
    package mutating func remove(_ row: Int32) { if has(row) { words[Int(row) / 64] &= ~(1 << UInt64(row % 64)) } }

    /// Leaves only rows that `other`, a set of the same table, has too.
    package mutating func formIntersection(_ other: RowSet) {
        precondition(rowCount == other.rowCount, "sets of rows of one table")
        for word in words.indices { words[word] &= other.words[word] }
    }

    /// Adds the rows of `other`, a set of the same table.
    package mutating func formUnion(_ other: RowSet) {
        precondition(rowCount == other.rowCount, "sets of rows of one table")
        for word in words.indices { words[word] |= other.words[word] }
    }

    private func has(_ row: Int32) -> Bool { row >= 0 && row < rowCount }
}
