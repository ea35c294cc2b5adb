import CKernels
import Tensors

/// A table packed for finding its best rows: scores are compared with the best so far while they are in registers and never written.
///
/// A score is summed in the order of its terms, as by ``CPUBackend/Products/rowIndependent``: it is the same, bit for bit, whatever vectors are
/// ranked with it, in whatever range, and for rounded panels too.
struct PackedTable: RankedTable {
    private let backend: CPUBackend
    private let table: Tensor
    private let panels: Panels
    var rowCount: Int { table.rows }

    private enum Panels: Sendable {
        /// The table's elements.
        case float32(Storage<Float>)
        /// The elements rounded, with the bounds of what rounding has changed (rounded_ranking.h), and the largest norm of a row.
        case bfloat16(Storage<UInt32>, largestNorm: Double)
    }

    /// Vectors that are ranked together: more share the reading of the table, and need memory for their candidates.
    private static let blockSize = 64

    init(_ backend: CPUBackend, _ table: Tensor, _ precision: Precision) {
        (self.backend, self.table) = (backend, table)
        if precision == .bfloat16 {
            precondition(backend.instructionSet == .avx512, "sums with single rounding, as those of vectors of 16")
            let kernels = ck_bfloat16_kernels()!.pointee
            let count = (table.rows + kernels.panel - 1) / kernels.panel * kernels.panel
            let storage = allocateHost(count * Self.pairs(table), of: UInt32.self, zeroed: false)
            let norm = kernels.pack_table(table.rows, table.columns, table.base, table.stride, storage.base)
            panels = .bfloat16(storage, largestNorm: norm)
        } else {
            let count = CPUBackend.panelSize(table.columns, table.rows, backend.kernels)
            let storage = allocateHost(count, of: Float.self, zeroed: false)
            backend.kernels.pack(table.columns, table.rows, table.base, table.stride, true, storage.base)
            panels = .float32(storage)
        }
    }

    /// Pairs of a row: of its elements, and one of bounds.
    private static func pairs(_ table: Tensor) -> Int { (table.columns + 1) / 2 + 1 }

    func best(_ hidden: Tensor, bias: SparseBias?, choices: [RowChoice]) -> [[ScoredRow]] {
        precondition(choices.count == hidden.rows && hidden.columns == table.columns, "one choice for each vector")
        let bias = bias.map(HostBias.init)
        var lists: [[ScoredRow]] = []
        lists.reserveCapacity(choices.count)
        for first in stride(from: 0, to: choices.count, by: Self.blockSize) {
            let block = first..<min(first + Self.blockSize, choices.count)
            var search = RowSearch(choices[block], rowCount: rowCount)
            for (i, n) in block.enumerated() {
                let listed = search.takeListed(i, bias, row: n)
                let vector = hidden.base + n * hidden.stride
                backend.kernels.rank_listed(
                    table.columns, vector, table.base, table.stride, listed.rows, listed.additions, listed.rows.count,
                    &search.queries[i])
            }
            rank(hidden.rows(block), &search)
            lists += search.results()
        }
        return lists
    }

    /// Ranks the candidates that are left for each vector.
    private func rank(_ vectors: Tensor, _ search: inout RowSearch) {
        switch panels {
        case .float32(let storage):
            backend.kernels.rank_rows(
                storage.base, rowCount, table.columns, vectors.base, vectors.stride, &search.queries, vectors.rows)
        case .bfloat16(let storage, let largestNorm):
            let kernels = ck_bfloat16_kernels()!.pointee
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: vectors.rows * Self.pairs(table)) { pairs in
                kernels.pack_vectors(
                    vectors.rows, table.columns, vectors.base, vectors.stride, largestNorm, pairs.baseAddress!)
                var rounded = ck_rounded_table(
                    rows: table.base, ld: table.stride, depth: table.columns, panels: storage.base)
                kernels.rank_rows(
                    &rounded, rowCount, vectors.base, vectors.stride, pairs.baseAddress!, &search.queries,
                    vectors.rows)
            }
        }
    }
}
