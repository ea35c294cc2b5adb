package import Tensors

extension ReferenceBackend {
    package func rank(
        _ hidden: Tensor, table: Tensor, targets: Indices, bias: SparseBias?, seen: [[Int32]]
    ) -> [RankCounts]? {
        precondition(
            targets.count == hidden.rows && seen.count == hidden.rows, "one target and one history for each row")
        var counts: [RankCounts] = []
        for n in 0..<hidden.rows {
            let scores = scores(hidden, n, table, bias)
            if scores.contains(where: \.isNaN) { return nil }
            let above = scores.indices.filter { $0 != targets[n] && scores[$0] >= scores[targets[n]] }
            let hiddenRows = Set(seen[n].map(Int.init))
            counts.append(
                RankCounts(all: Int32(above.count), masked: Int32(above.count { !hiddenRows.contains($0) })))
        }
        return counts
    }

    package func topK(
        _ hidden: Tensor, table: Tensor, bias: SparseBias?, k: Int, candidates: [Candidates]
    ) -> [[ScoredRow]] {
        precondition(candidates.count == hidden.rows, "one choice of candidates for each row")
        return (0..<hidden.rows).map { n in
            let scores = scores(hidden, n, table, bias)
            var best: [ScoredRow] = []
            guard k > 0 else { return best }
            for row in candidates[n].rows(in: scores.indices) {
                let score = scores[Int(row)]
                if best.count == k {
                    // Ties go to the lower row number, which came first.
                    if score <= best[k - 1].score { continue }
                    best.removeLast()
                }
                best.insert(ScoredRow(row: row, score: score), at: best.firstIndex { $0.score < score } ?? best.count)
            }
            return best
        }
    }

    /// Row n's scores, rounded to float32, so that ties are those that a caller would see.
    private func scores(_ hidden: Tensor, _ n: Int, _ table: Tensor, _ bias: SparseBias?) -> [Float] {
        var scores = (0..<table.rows).map { dot(hidden, n, table, $0) }
        bias?.forEach(ofRow: n) { scores[$0] += Double(bias!.value($1)) }
        return scores.map { Float($0) }
    }
}
