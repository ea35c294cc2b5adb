import CCUDA
package import Tensors

extension CUDABackend {
    package func sampling(cumulative: [Double], logQ: [Float], size: Int) -> (any RowSampling)? {
        CUDASampling(self, cumulative, logQ, size)
    }
}

/// Samples of the rows of one table, drawn by a kernel.
private struct CUDASampling: RowSampling {
    let marks: Indices
    private let backend: CUDABackend
    private let cumulative: Storage<Double>
    private let logQ: Storage<Float>
    private let size: Int

    init(_ backend: CUDABackend, _ cumulative: [Double], _ logQ: [Float], _ size: Int) {
        precondition(
            cumulative.count == logQ.count && (1...logQ.count).contains(size), "a sample is a part of all rows")
        (self.backend, self.size) = (backend, size)
        (self.cumulative, self.logQ) = (backend.storage(of: cumulative), backend.storage(of: logQ))
        marks = backend.allocateIndices(logQ.count).indices
    }

    func draw(_ firsts: [Double], targets: Indices, items: [Int32]) -> DrawnRows {
        let (queue, count) = (backend.queue, firsts.count * size)
        let rows = queue.storage(count, of: Int32.self, zeroed: false)
        let rowLogQ = queue.storage(count, of: Float.self, zeroed: false)
        let targetLogQ = queue.storage(targets.count, of: Float.self, zeroed: false)
        let (points, pointsOwner) = backend.stagedMemory(firsts)
        let (met, metOwner) = backend.stagedMemory(items)
        let argument = cu_drawing(
            cumulative: cumulative.pointer, firsts: points, log_q: logQ.pointer, targets: targets.pointer, items: met,
            rows: rows.pointer, marks: marks.pointer, sample_log_q: rowLogQ.pointer, target_log_q: targetLogQ.pointer,
            table_rows: Int32(logQ.count), samples: Int32(firsts.count), size: Int32(size),
            target_count: Int32(targets.count), item_count: Int32(items.count), unused: 0)
        let others = (max(targets.count, items.count) + 255) / 256
        if firsts.count + others > 0 { backend.launch(.drawSamples, Grid(x: firsts.count + others), argument) }
        withExtendedLifetime((pointsOwner, metOwner)) {}
        return DrawnRows(rows: rows.indices, logQ: rowLogQ.tensor, targetLogQ: targetLogQ.tensor)
    }
}
