import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Scratch memory of the tiled softmax: logits of some rows over some columns, and what is known of each row so far.
final class SoftmaxTile {
    let columns: Int
    /// The largest logit of each row in all column tiles so far, and Σ exp(logit − max).
    let max, sum: UnsafeMutablePointer<Float>
    /// The same of the newest column tile.
    let newMax, newSum: UnsafeMutablePointer<Float>
    let targetLogit: UnsafeMutablePointer<Float>
    let factors: Tensor
    /// What the rows' targets are beside their items, with tiles of their own.
    let teachers: TeacherTiles?
    private let storage: Storage<Float>
    private let tileStart: Int

    init(rows: Int, columns: Int, hiddenSize: Int, softTargets: SoftTargets? = nil) {
        self.columns = columns
        let padded = (rows + 15) / 16 * 16
        // A megabyte that is written before it is read: zeroing it would cost as much as the exponentials.
        storage = allocateHost(5 * padded + padded * hiddenSize + rows * columns, of: Float.self, zeroed: false)
        let base = storage.base
        (max, sum, newMax) = (base, base + padded, base + 2 * padded)
        (newSum, targetLogit) = (base + 3 * padded, base + 4 * padded)
        factors = storage.tensor(at: 5 * padded, rows: rows, columns: hiddenSize)
        tileStart = 5 * padded + padded * hiddenSize
        teachers = softTargets.map { TeacherTiles($0, rows: rows, columns: columns) }
    }

    func begin(_ rows: Int) {
        max.update(repeating: -.infinity, count: rows)
        sum.update(repeating: 0, count: rows)
        targetLogit.update(repeating: .nan, count: rows)
        teachers?.begin(rows)
    }

    /// Adds the newest column tile to max and sum of row r (the online softmax of Milakov & Gimelshein 2018). Returns what sums over the
    /// earlier tiles and over the newest one are multiplied by.
    @discardableResult func addNewest(_ r: Int) -> (earlier: Float, newest: Float) {
        let highest = Swift.max(max[r], newMax[r])
        let (earlier, newest) = (exp(max[r] - highest), exp(newMax[r] - highest))
        sum[r] = sum[r] * earlier + newSum[r] * newest
        max[r] = highest
        return (earlier, newest)
    }

    /// The cross-entropy of row r, when all columns have been added to its sum.
    func loss(_ r: Int) -> Float {
        let normalizer = log(sum[r]) + max[r]
        guard let teachers else { return normalizer - targetLogit[r] }
        return normalizer - teachers.hardShare * targetLogit[r] - teachers.wantedLogit(r)
    }

    func logits(_ rows: Int, _ columns: Int) -> Tensor { storage.tensor(at: tileStart, rows: rows, columns: columns) }
}

/// The teachers' tiles beside that of the model which learns.
final class TeacherTiles {
    let softTargets: SoftTargets
    /// One for each teacher.
    let tiles: [SoftmaxTile]
    /// For each teacher and row Σ_v exp(its logit − max) · the learning model's logit.
    private let products: [Storage<Float>]

    init(_ softTargets: SoftTargets, rows: Int, columns: Int) {
        self.softTargets = softTargets
        tiles = softTargets.teachers.map { _ in SoftmaxTile(rows: rows, columns: columns, hiddenSize: 0) }
        products = softTargets.teachers.map { _ in allocateHost(rows, of: Float.self) }
    }

    /// The share of the target items.
    var hardShare: Float { 1 - softTargets.share }

    func begin(_ rows: Int) {
        for (tile, product) in zip(tiles, products) {
            tile.begin(rows)
            product.base.update(repeating: 0, count: rows)
        }
    }

    /// Adds the newest column tile of a teacher, whose products with the learning model's logits are `products`.
    func addNewest(teacher: Int, _ r: Int, product: Float) {
        let (earlier, newest) = tiles[teacher].addNewest(r)
        let sum = products[teacher].base + r
        sum.pointee = sum.pointee * earlier + product * newest
    }

    /// What a teacher's exponentials in row r are multiplied by to become its part of the target distribution.
    func weight(teacher: Int, _ r: Int) -> Float { softTargets.weight / tiles[teacher].sum[r] }

    /// The teachers' part of Σ_v q_v · logit_v in row r.
    func wantedLogit(_ r: Int) -> Float {
        tiles.indices.reduce(0) { $0 + weight(teacher: $1, r) * products[$1].base[r] }
    }
}
