/// A table whose best rows can be found for many vectors at once. It is made once for a table that does not change; many threads may
/// use it at the same time.
package protocol RankedTable: Sendable {
    /// Number of rows in the table.
    var rowCount: Int { get }
    /// For each row n of `hidden` [N, D] (may be strided) the `choices[n].count` best-scoring rows of the table, best first, ties by
    /// lower row number.
    ///
    /// There are fewer rows than asked for only where there are fewer candidates. Rows that score −∞ or NaN are never returned. `bias` adds
    /// to some of the scores.
    func best(_ hidden: Tensor, bias: SparseBias?, choices: [RowChoice]) -> [[ScoredRow]]
}

/// Which and how many rows of a table to find for one vector.
package struct RowChoice: Sendable {
    /// How many.
    package var count: Int
    /// Among which.
    package var candidates: Candidates

    package init(_ count: Int, of candidates: Candidates = .allExcept([])) {
        (self.count, self.candidates) = (count, candidates)
    }
}

/// Which table rows may be returned.
package enum Candidates: Sendable {
    /// All but these (any order).
    case allExcept([Int32])
    /// Only these (any order, no duplicates).
    case only([Int32])
    /// Those of a set, which many choices may share, but these (any order).
    case within(RowSet, except: [Int32])

    /// The rows in `range` that may be returned, in ascending order. O(range).
    package func rows(in range: Range<Int>) -> [Int32] {
        let all = range.lazy.map { Int32($0) }
        switch self {
        case .allExcept(let rows):
            let excluded = Set(rows)
            return all.filter { !excluded.contains($0) }
        case .only(let rows): return rows.filter { range.contains(Int($0)) }.sorted()
        case .within(let set, let rows):
            let excluded = Set(rows)
            return all.filter { set.contains($0) && !excluded.contains($0) }
        }
    }
}

/// A table row and its score.
package struct ScoredRow: Sendable, Equatable {
    /// Row number.
    package var row: Int32
    /// Dot product with the query, and what a bias adds.
    package var score: Float

    package init(row: Int32, score: Float) {
        self.row = row
        self.score = score
    }
}

/// A table as it is: its best rows are those of ``Backend/topK(_:table:bias:k:candidates:)``.
package struct PlainRankedTable: RankedTable {
    private let backend: any Backend
    private let table: Tensor
    package var rowCount: Int { table.rows }

    package init(_ backend: any Backend, _ table: Tensor) { (self.backend, self.table) = (backend, table) }

    package func best(_ hidden: Tensor, bias: SparseBias?, choices: [RowChoice]) -> [[ScoredRow]] {
        let candidates = choices.map { choice -> Candidates in
            guard case .within = choice.candidates else { return choice.candidates }
            return .only(choice.candidates.rows(in: 0..<rowCount))
        }
        let most = choices.map(\.count).max() ?? 0
        let lists = backend.topK(hidden, table: table, bias: bias, k: min(most, rowCount), candidates: candidates)
        return zip(lists, choices).map { list, choice in Array(list.prefix(max(0, choice.count))) }
    }
}
