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
        ranked(table, precision: .float32).best(hidden, bias: bias, choices: candidates.map { RowChoice(k, of: $0) })
    }

    /// A table packed for ranking: rounded to bfloat16 where that is quicker. Results are those of float32 in any case.
    package func ranked(_ table: Tensor) -> any RankedTable {
        let isRounded =
            instructionSet == .avx512 && Precision.bfloat16.isAvailable && table.rows > Self.longestUnrounded
        return ranked(table, precision: isRounded ? .bfloat16 : .float32)
    }

    /// A table packed for ranking as ``ranked(_:)`` does, for a first pass of the given precision.
    package func ranked(_ table: Tensor, precision: Precision) -> any RankedTable {
        PackedTable(self, table, precision)
    }

    /// With fewer rows, scoring the best of them again takes longer than rounding saves (measured: 20,000 on one core of a Zen 5).
    private static var longestUnrounded: Int { 1 << 15 }
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
