import Tensors

/// Consecutive queries of one sequence, and the events that they attend to: the rows and the columns of a tile of scores.
struct AttentionTile {
    let sequence: Int
    /// Rows of the batch.
    let queries: Range<Int>
    /// Events of the window before the sequence, oldest first; none where there is no window.
    let past: Range<Int>
    /// Rows of the batch.
    let own: Range<Int>
    private let span: Int

    init(_ sequence: Int, _ queries: Range<Int>, of rows: Range<Int>, span: Int, hasWindow: Bool) {
        (self.sequence, self.queries, self.span) = (sequence, queries, span)
        let done = queries.lowerBound - rows.lowerBound
        past = hasWindow && done < span - 1 ? done..<span - 1 : 0..<0
        own = max(rows.lowerBound, queries.lowerBound - (span - 1))..<queries.upperBound
    }

    var columns: Int { past.count + own.count }

    /// Columns of the events that query r attends to: W of them, or as many as there are.
    func band(_ r: Int) -> Range<Int> {
        let end = past.count + queries.lowerBound + r - own.lowerBound + 1
        return max(0, end - span)..<end
    }

    /// The events (or their gradients): those in the sequence's row of `window` [S, (W − 1)·2D] and those in `memory` [N, 2D].
    func parts(of memory: Tensor, _ window: Tensor?) -> [(columns: Range<Int>, events: Tensor)] {
        let inBatch = (columns: past.count..<columns, events: memory.rows(own))
        guard let window, !past.isEmpty else { return [inBatch] }
        let row = window.rows(sequence..<sequence + 1).reshaped(span - 1, memory.columns)
        return [(0..<past.count, row.rows(past)), inBatch]
    }
}
