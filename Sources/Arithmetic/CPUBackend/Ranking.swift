import CKernels
package import Tensors

extension CPUBackend {
    package func rank(
        _ hidden: Tensor, table: Tensor, targets: Indices, bias: SparseBias?, seen: [[Int32]]
    ) -> [RankCounts]? {
        precondition(
            targets.count == hidden.rows && seen.count == hidden.rows, "one target and one history for each row")
        let tiles = ScoreTiles(self, hidden, table, bias)
        var counts: [RankCounts] = []
        counts.reserveCapacity(hidden.rows)
        for rows in tiles.rowRanges {
            var ranks = rows.map { Rank(target: Int(targets.base[$0]), seen: seen[$0][...]) }
            if tiles.columnRanges.count > 1 { tiles.targetScores(rows, targets, &ranks) }
            for columns in tiles.columnRanges {
                let scores = tiles.scores(rows, columns)
                for r in 0..<rows.count where !ranks[r].count(scores.rows(r..<r + 1), columns, kernels) { return nil }
            }
            counts += ranks.map(\.counts)
        }
        return counts
    }

    package func topK(
        _ hidden: Tensor, table: Tensor, bias: SparseBias?, k: Int, candidates: [Candidates]
    ) -> [[ScoredRow]] {
        precondition(candidates.count == hidden.rows, "one choice of candidates for each row")
        let tiles = ScoreTiles(self, hidden, table, bias)
        var lists: [[ScoredRow]] = []
        lists.reserveCapacity(hidden.rows)
        for rows in tiles.rowRanges {
            var best = [TopList](repeating: TopList(capacity: k), count: rows.count)
            for columns in tiles.columnRanges {
                let scores = tiles.scores(rows, columns)
                for (r, n) in rows.enumerated() {
                    best[r].insert(scores.base + r * scores.stride, columns, candidates[n])
                }
            }
            lists += best.map(\.rows)
        }
        return lists
    }
}

/// Scores of all rows for a whole table in tiles of at most 16 MB, so that wide tables are read once for many rows.
private struct ScoreTiles {
    private static let tileRows = 64
    private static let widestTile = 1 << 16

    let rowRanges, columnRanges: [Range<Int>]
    private let backend: CPUBackend
    private let hidden, table: Tensor
    private let bias: HostBias?
    private let storage: Storage<Float>

    init(_ backend: CPUBackend, _ hidden: Tensor, _ table: Tensor, _ bias: SparseBias?) {
        (self.backend, self.hidden, self.table, self.bias) = (backend, hidden, table, bias.map(HostBias.init))
        let tiles = max(1, (table.rows + Self.widestTile - 1) / Self.widestTile)
        let width = (table.rows + tiles - 1) / tiles
        func ranges(_ count: Int, by size: Int) -> [Range<Int>] {
            stride(from: 0, to: count, by: max(1, size)).map { $0..<min($0 + size, count) }
        }
        rowRanges = ranges(hidden.rows, by: Self.tileRows)
        columnRanges = ranges(table.rows, by: width)
        storage = allocateHost(min(Self.tileRows, hidden.rows) * width, of: Float.self, zeroed: false)
    }

    /// The scores of `rows` over the table rows `columns`, in scratch memory: the next call overwrites them.
    func scores(_ rows: Range<Int>, _ columns: Range<Int>) -> Tensor {
        let scores = product(rows, table.rows(columns))
        bias?.add(to: scores, firstRow: rows.lowerBound, columns: columns)
        return scores
    }

    /// Sets the bounds of `ranks` to the targets' scores. They come from a product as wide as a tile, over a table that
    /// begins with the targets' rows: another shape might sum in another order, and equal rows would not tie. (The
    /// last tile may be narrower; whether its products are summed in the same order depends on the library.)
    func targetScores(_ rows: Range<Int>, _ targets: Indices, _ ranks: inout [Rank]) {
        let copies = backend.tensor(columnRanges[0].count, table.columns)
        backend.gather(targets.range(rows), from: table, into: copies.prefix(rows.count))
        let scores = product(rows, copies)
        for (r, n) in rows.enumerated() {
            var bound = scores.base[r * scores.stride + r]
            bias?.forEach(ofRow: n) { if $0 == ranks[r].target { bound += bias!.value($1) } }
            ranks[r].bound = bound
        }
    }

    private func product(_ rows: Range<Int>, _ table: Tensor) -> Tensor {
        let scores = storage.tensor(rows: rows.count, columns: table.rows)
        backend.product(hidden.rows(rows), false, table, true, into: scores, accumulate: false)
        return scores
    }
}

/// Counts the scores of one row, tile by tile.
private struct Rank {
    let target: Int
    /// The seen rows of the tiles that are not counted yet.
    var seen: ArraySlice<Int32>
    /// The target's score; nil where there is only one tile, which holds it.
    var bound: Float?
    var counts = RankCounts(all: 0, masked: 0)

    init(target: Int, seen: ArraySlice<Int32>) {
        self.target = target
        self.seen = seen
    }

    /// Counts one tile's scores, [1, columns]. False where one is NaN.
    mutating func count(_ scores: Tensor, _ columns: Range<Int>, _ kernels: ck_kernels) -> Bool {
        func score(_ row: Int) -> Float { scores.base[row - columns.lowerBound] }
        let bound = self.bound ?? score(target)
        var nan = false
        var all = kernels.count_at_least(columns.count, scores.base, bound, &nan)
        if columns.contains(target), score(target) >= bound { all -= 1 }
        let known = seen.prefix { Int($0) < columns.upperBound }
        seen = seen.dropFirst(known.count)
        let hidden = known.count { Int($0) != target && score(Int($0)) >= bound }
        counts.all += Int32(all)
        counts.masked += Int32(all - hidden)
        return !nan
    }
}

/// The best rows so far, best first; equal scores keep their order of insertion.
private struct TopList {
    let capacity: Int
    private(set) var rows: [ScoredRow] = []
    /// Only rows with a higher score are inserted.
    private(set) var bound: Float = -.infinity

    init(capacity: Int) {
        self.capacity = capacity
        rows.reserveCapacity(max(0, min(capacity, 1024)) + 1)
        if capacity <= 0 { bound = .infinity }
    }

    /// Inserts the candidates among the table rows `columns`, whose scores are `scores`.
    mutating func insert(
        _ scores: UnsafeMutablePointer<Float>, _ columns: Range<Int>, _ candidates: Candidates
    ) {
        let first = columns.lowerBound
        switch candidates {
        case .allExcept(let rows):
            for row in rows where columns.contains(Int(row)) { scores[Int(row) - first] = -.infinity }
            for column in 0..<columns.count where scores[column] > bound {
                insert(ScoredRow(row: Int32(first + column), score: scores[column]))
            }
        case .only(let rows):
            for row in rows.filter({ columns.contains(Int($0)) }).sorted() where scores[Int(row) - first] > bound {
                insert(ScoredRow(row: row, score: scores[Int(row) - first]))
            }
        }
    }

    /// Amortised O(1) over a long row of random scores; O(capacity) each at worst.
    mutating func insert(_ row: ScoredRow) {
        var low = 0
        var high = rows.count
        while low < high {
            let middle = (low + high) / 2
            if rows[middle].score >= row.score { low = middle + 1 } else { high = middle }
        }
        rows.insert(row, at: low)
        if rows.count > capacity { rows.removeLast() }
        if rows.count == capacity { bound = rows[capacity - 1].score }
    }
}
