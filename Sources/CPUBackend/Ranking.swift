import CKernels
import Tensors

extension CPUBackend {
    /// Rows of scores computed at a time: 64, fewer where a row is long, so that a tile stays under 16 MB.
    private func tileRows(_ table: Tensor) -> Int { max(1, min(64, (1 << 22) / max(1, table.rows))) }

    public func rank(
        _ hidden: Tensor, table: Tensor, targets: Indices, bias: SparseBias?, seen: [[Int32]]
    ) -> [RankCounts]? {
        precondition(targets.count == hidden.rows && seen.count == hidden.rows, "one target and one history a row")
        let tileRows = tileRows(table)
        let storage = allocate(min(tileRows, max(1, hidden.rows)) * table.rows)
        var counts: [RankCounts] = []
        counts.reserveCapacity(hidden.rows)
        for start in stride(from: 0, to: hidden.rows, by: tileRows) {
            let rows = hidden.rows(start..<min(start + tileRows, hidden.rows))
            let scores = Tensor(base: storage.base, rows: rows.rows, columns: table.rows)
            product(rows, false, table, true, into: scores, accumulate: false)
            bias?.add(to: scores, firstRow: start, columns: 0..<table.rows)
            for r in 0..<rows.rows {
                let row = scores.base + r * table.rows
                let target = targets.base[start + r]
                let bound = row[Int(target)]
                var nan = false
                let all = kernels.count_at_least(table.rows, row, bound, &nan) - 1
                if nan { return nil }
                let hidden = seen[start + r].count { $0 != target && row[Int($0)] >= bound }
                counts.append(RankCounts(all: Int32(all), masked: Int32(all - hidden)))
            }
        }
        withExtendedLifetime(storage) {}
        return counts
    }

    public func topK(
        _ hidden: Tensor, table: Tensor, bias: SparseBias?, k: Int, candidates: [Candidates]
    ) -> [[ScoredRow]] {
        precondition(candidates.count == hidden.rows, "one choice of candidates a row")
        let tileRows = tileRows(table)
        let storage = allocate(min(tileRows, max(1, hidden.rows)) * table.rows)
        var lists: [[ScoredRow]] = []
        lists.reserveCapacity(hidden.rows)
        for start in stride(from: 0, to: hidden.rows, by: tileRows) {
            let rows = hidden.rows(start..<min(start + tileRows, hidden.rows))
            let scores = Tensor(base: storage.base, rows: rows.rows, columns: table.rows)
            product(rows, false, table, true, into: scores, accumulate: false)
            bias?.add(to: scores, firstRow: start, columns: 0..<table.rows)
            for r in 0..<rows.rows {
                lists.append(best(k, of: scores.rows(r..<r + 1), among: candidates[start + r]))
            }
        }
        withExtendedLifetime(storage) {}
        return lists
    }

    /// The k best of one row of scores.
    private func best(_ k: Int, of scores: Tensor, among candidates: Candidates) -> [ScoredRow] {
        var list = TopList(capacity: k)
        switch candidates {
        case .allExcept(let rows):
            for row in rows where row >= 0 && Int(row) < scores.columns { scores.base[Int(row)] = -.infinity }
            for row in 0..<scores.columns where scores.base[row] > list.bound {
                list.insert(ScoredRow(row: Int32(row), score: scores.base[row]))
            }
        case .only(let rows):
            for row in rows.sorted() where row >= 0 && Int(row) < scores.columns && scores.base[Int(row)] > list.bound {
                list.insert(ScoredRow(row: row, score: scores.base[Int(row)]))
            }
        }
        return list.rows
    }
}

/// The best rows so far, best first; equal scores keep their order of insertion.
private struct TopList {
    let capacity: Int
    private(set) var rows: [ScoredRow] = []
    /// Only higher scores get in.
    private(set) var bound: Float = -.infinity

    init(capacity: Int) {
        self.capacity = capacity
        rows.reserveCapacity(max(0, min(capacity, 1024)) + 1)
        if capacity <= 0 { bound = .infinity }
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
