import CCUDA
package import Tensors

extension CUDABackend {
    package func rank(
        _ hidden: Tensor, table: Tensor, targets: Indices, bias: SparseBias?, seen: [[Int32]]
    ) -> [RankCounts]? {
        precondition(
            targets.count == hidden.rows && seen.count == hidden.rows, "one target and one history for each row")
        guard hidden.rows > 0 else { return [] }
        let tileRows = Geometry.rankingRows(rows: hidden.rows, columns: table.rows)
        let stride = Geometry.scoreStride(columns: table.rows)
        let tile = Scratch(4 * tileRows * stride, on: queue)
        let seen = Lists(seen, self)
        // Two counts for each row, then whether any score is NaN.
        let counts = allocateIndices(2 * hidden.rows + 1)
        for first in Swift.stride(from: 0, to: hidden.rows, by: tileRows) {
            let rows = first..<min(first + tileRows, hidden.rows)
            let scores = tile.tensor(rows: rows.count, columns: table.rows, stride: stride)
            product(hidden.rows(rows), false, table, true, into: scores, accumulate: false, .float32)
            let argument = cu_rank(
                scores: scores.argument, targets: targets.pointer, seen_starts: seen.starts.pointer,
                seen: seen.rows.pointer,
                counts: counts.pointer, not_a_number: counts.pointer + 2 * hidden.rows, bias: self.argument(bias),
                first_row: Int32(first), unused: 0)
            launch(.rankRows, Grid(x: rows.count), argument)
        }
        let values = withExtendedLifetime(seen) { download(counts.indices) }
        guard values.last == 0 else { return nil }
        return (0..<hidden.rows).map { RankCounts(all: values[2 * $0], masked: values[2 * $0 + 1]) }
    }

    /// Longer lists are computed on the host.
    private static var longestList: Int { 1024 }

    package func topK(
        _ hidden: Tensor, table: Tensor, bias: SparseBias?, k: Int, candidates: [Candidates]
    ) -> [[ScoredRow]] {
        precondition(candidates.count == hidden.rows, "one choice of candidates for each row")
        guard k > 0, hidden.rows > 0 else { return candidates.map { _ in [] } }
        let lists = CandidateLists(candidates, rowCount: table.rows, self)
        if k > Self.longestList { return longTopK(hidden, table, bias, k, lists) }
        let shared = BestLists(hidden.rows * Int(TOP_SHARES), k, self)
        let merged = BestLists(hidden.rows, k, self)
        forEachTile(hidden, table, bias, lists) { scores, firstColumn in
            let argument = cu_top_k(
                scores: scores.argument, best: shared.scores.pointer, best_rows: shared.rows.pointer,
                found: shared.found.pointer, first_column: Int32(firstColumn), k: Int32(k))
            launch(.takeBest, Grid(x: scores.rows, y: Int(TOP_SHARES)), argument)
        }
        let argument = cu_merge(
            list_scores: shared.scores.pointer, list_rows: shared.rows.pointer, list_found: shared.found.pointer,
            best: merged.scores.pointer, best_rows: merged.rows.pointer, found: merged.found.pointer, k: Int32(k),
            unused: 0)
        launch(.mergeBest, Grid(x: hidden.rows), argument)
        return withExtendedLifetime((lists, shared)) { merged.download(self) }
    }

    /// Calls `body` with the scores of all rows over some columns of the table, tile after tile.
    private func forEachTile(
        _ hidden: Tensor, _ table: Tensor, _ bias: SparseBias?, _ lists: CandidateLists,
        _ body: (_ scores: Tensor, _ firstColumn: Int) -> Void
    ) {
        let width = Geometry.rankingColumns(rows: hidden.rows, columns: table.rows)
        let stride = Geometry.scoreStride(columns: width)
        let tile = Scratch(4 * hidden.rows * stride, on: queue)
        for first in Swift.stride(from: 0, to: table.rows, by: width) {
            let columns = first..<min(first + width, table.rows)
            let scores = tile.tensor(rows: hidden.rows, columns: columns.count, stride: stride)
            product(hidden, false, table.rows(columns), true, into: scores, accumulate: false, .float32)
            if bias != nil || !lists.isEverything {
                let argument = cu_candidates(
                    scores: scores.argument, list_starts: lists.lists.starts.pointer, list: lists.lists.rows.pointer,
                    only: lists.only.pointer, saved: lists.saved.pointer, bias: self.argument(bias),
                    first_column: Int32(first), unused: 0)
                launch(.chooseCandidates, Grid(x: hidden.rows), argument)
            }
            body(scores, first)
        }
    }

    private func longTopK(
        _ hidden: Tensor, _ table: Tensor, _ bias: SparseBias?, _ k: Int, _ lists: CandidateLists
    ) -> [[ScoredRow]] {
        var all = [[ScoredRow]](repeating: [], count: hidden.rows)
        forEachTile(hidden, table, bias, lists) { scores, firstColumn in
            let values = download(scores)
            for n in all.indices {
                let row = values[n * scores.columns..<(n + 1) * scores.columns].enumerated()
                all[n] += row.compactMap { column, score in
                    score > -.infinity ? ScoredRow(row: Int32(firstColumn + column), score: score) : nil
                }
                all[n].sort { ($1.score, $0.row) < ($0.score, $1.row) }
                all[n] = Array(all[n].prefix(k))
            }
        }
        return all
    }
}

/// Lists of the k best table rows, best first, in the device's memory: [count, k], of which so many are `found`.
private struct BestLists {
    let scores: Storage<Float>
    let rows, found: Storage<Int32>
    private let count, k: Int

    init(_ count: Int, _ k: Int, _ backend: CUDABackend) {
        (self.count, self.k) = (count, k)
        (scores, rows) = (backend.allocate(count * k), backend.allocateIndices(count * k))
        found = backend.allocateIndices(count)
    }

    func download(_ backend: CUDABackend) -> [[ScoredRow]] {
        let (scores, rows) = (backend.download(scores.tensor), backend.download(rows.indices))
        return backend.download(found.indices).enumerated().map { n, found in
            (n * k..<n * k + Int(found)).map { ScoredRow(row: rows[$0], score: scores[$0]) }
        }
    }
}

/// Lists of table rows end to end, in the device's memory.
private struct Lists {
    let starts, rows: Storage<Int32>

    init(_ lists: [[Int32]], _ backend: CUDABackend) {
        let ends = lists.reduce(into: [Int32(0)]) { $0.append($0.last! + Int32($1.count)) }
        starts = backend.allocateIndices(ends.count)
        rows = backend.allocateIndices(Int(ends.last!))
        backend.upload(ends, to: starts.indices)
        backend.upload(lists.flatMap(\.self), to: rows.indices)
    }
}

/// The candidates of each row, in the device's memory.
private struct CandidateLists {
    let lists: Lists
    /// Whether a row's list has the candidates; otherwise it has the rows that are none.
    let only: Storage<Int32>
    /// Scratch memory of the length of all lists.
    let saved: Storage<Float>
    /// Whether every table row may be returned for each row.
    let isEverything: Bool

    init(_ candidates: [Candidates], rowCount: Int, _ backend: CUDABackend) {
        var (rows, kinds): ([[Int32]], [Int32]) = ([], [])
        for each in candidates {
            switch each {
            case .allExcept(let list):
                rows.append(list)
                kinds.append(0)
            case .only(let list):
                rows.append(list)
                kinds.append(1)
            case .within:
                rows.append(each.rows(in: 0..<rowCount))
                kinds.append(1)
            }
        }
        lists = Lists(rows, backend)
        only = backend.allocateIndices(kinds.count)
        backend.upload(kinds, to: only.indices)
        saved = backend.allocate(lists.rows.count)
        isEverything = lists.rows.count == 0 && !kinds.contains(1)
    }
}
