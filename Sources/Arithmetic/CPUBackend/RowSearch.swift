import CKernels
import Tensors

/// The search for the best rows of a table for a block of vectors: their candidates, as one bit for each row, and the best so far.
struct RowSearch {
    /// One for each vector.
    var queries: [ck_query]
    private let rowCount: Int
    private let choices: ArraySlice<RowChoice>
    private let wordCount: Int
    private let words: Storage<UInt64>
    private let heaps: Storage<ck_scored_row>

    /// Rows that are scored one by one, whose scores something may be added to.
    struct Listed {
        var rows: [Int32] = []
        var additions: [Float] = []
    }

    init(_ choices: ArraySlice<RowChoice>, rowCount: Int) {
        (self.choices, self.rowCount) = (choices, rowCount)
        wordCount = (rowCount + 63) / 64
        words = allocateHost(choices.count * wordCount, of: UInt64.self, zeroed: false)
        let capacities = choices.map { max(0, min($0.count, rowCount)) }
        heaps = allocateHost(capacities.reduce(0, +), of: ck_scored_row.self, zeroed: false)
        queries = [ck_query](repeating: ck_query(), count: choices.count)
        var heap = heaps.base
        for (i, capacity) in capacities.enumerated() {
            ck_start(&queries[i], heap, capacity, bits(i))
            heap += capacity
            mark(i)
        }
    }

    private func bits(_ i: Int) -> UnsafeMutablePointer<UInt64> { words.base + i * wordCount }

    /// Sets the bits of the candidates for vector i of the block.
    private func mark(_ i: Int) {
        let bits = bits(i)
        switch choices[choices.startIndex + i].candidates {
        case .allExcept(let excluded):
            bits.update(repeating: .max, count: wordCount)
            remove(excluded, bits)
        case .only(let rows):
            bits.update(repeating: 0, count: wordCount)
            for row in rows where has(row) { set(Int(row), bits) }
        case .within(let set, let excluded):
            set.words.withUnsafeBufferPointer {
                guard wordCount > 0 else { return }
                bits.update(from: $0.baseAddress!, count: wordCount)
            }
            remove(excluded, bits)
        }
        for row in rowCount..<64 * wordCount { clear(row, bits) }
    }

    private func has(_ row: Int32) -> Bool { row >= 0 && row < rowCount }

    private func remove(_ excluded: [Int32], _ bits: UnsafeMutablePointer<UInt64>) {
        for row in excluded where has(row) { clear(Int(row), bits) }
    }

    private func set(_ row: Int, _ bits: UnsafeMutablePointer<UInt64>) {
        bits[row >> 6] |= 1 << UInt64(truncatingIfNeeded: row & 63)
    }

    private func clear(_ row: Int, _ bits: UnsafeMutablePointer<UInt64>) {
        bits[row >> 6] &= ~(1 << UInt64(truncatingIfNeeded: row & 63))
    }

    private func isSet(_ row: Int, _ bits: UnsafeMutablePointer<UInt64>) -> Bool {
        bits[row >> 6] >> UInt64(truncatingIfNeeded: row & 63) & 1 == 1
    }

    /// Takes out of the candidates for vector i those that are better scored one by one: whose scores a bias adds to, and all where
    /// there are few. `n` is the vector's row in `bias`.
    func takeListed(_ i: Int, _ bias: HostBias?, row n: Int) -> Listed {
        let bits = bits(i)
        var listed = Listed()
        bias?.forEach(ofRow: n) { row, kind in
            guard isSet(row, bits) else { return }
            clear(row, bits)
            listed.rows.append(Int32(row))
            listed.additions.append(bias!.value(kind))
        }
        if case .allExcept = choices[choices.startIndex + i].candidates { return listed }
        var left = 0
        for word in 0..<wordCount {
            left += bits[word].nonzeroBitCount
            if left >= rowCount / 128 { return listed }  // the pass over all rows costs less
        }
        for word in 0..<wordCount {
            while bits[word] != 0 {
                listed.rows.append(Int32(64 * word + bits[word].trailingZeroBitCount))
                listed.additions.append(-0.0)  // changes no score, not even −0
                bits[word] &= bits[word] - 1
            }
        }
        return listed
    }

    /// What was found for each vector. Ends the search.
    mutating func results() -> [[ScoredRow]] {
        defer { withExtendedLifetime((words, heaps)) {} }
        return queries.indices.map { i in
            ck_sort(&queries[i])
            let query = queries[i]
            return (0..<query.count).map { ScoredRow(row: query.heap[$0].row, score: query.heap[$0].score) }
        }
    }
}
