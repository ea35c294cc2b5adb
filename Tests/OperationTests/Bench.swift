import Tensors

/// Memory and random numbers of one case on one backend.
///
/// Every block lies between guards, and strided rows have guards between them. Two benches with one seed give the
/// same numbers, whatever the backend. Afterwards ``outcome()`` tells what came out and what should not have changed
/// but did.
final class Bench {
    let backend: any Backend
    /// Whether random numbers have no more bits than bfloat16 keeps.
    private let rounded: Bool
    private var generator: SeededGenerator
    private var blocks: [Block] = []
    private var indexBlocks: [IndexBlock] = []
    private var reports: [Result] = []

    /// Stands before, after and between rows: a NaN, so that whoever reads it spoils the result, with a payload.
    static let guardValue = Float(bitPattern: 0x7FC0_5A5A)
    /// Fills what is to be overwritten.
    static let unwritten = Float(bitPattern: 0x7FC0_BEEF)
    private static let guardCount = 19

    private struct Block {
        let storage: Storage<Float>
        let tensor: Tensor
        let name: String?  // nil for what must not change
        let floor: Float
        let before: [Float]
    }

    private struct IndexBlock {
        let storage: Storage<Int32>
        let before: [Int32]
        var isOutput = false
    }

    init(_ backend: any Backend, seed: UInt64, rounded: Bool = false) {
        self.backend = backend
        self.rounded = rounded
        generator = SeededGenerator(seed: seed)
    }

    // MARK: Random numbers

    func number(in range: ClosedRange<Float>) -> Float {
        let unit = Float(generator.next() >> 40) * 0x1p-24
        let number = range.lowerBound + unit * (range.upperBound - range.lowerBound)
        return rounded ? Float(bitPattern: number.bitPattern & 0xFFFF_0000) : number
    }
    func integer(in range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    func numbers(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
        (0..<count).map { _ in number(in: range) }
    }
    /// Whole numbers: sums of their products are exact in single precision, and ties between them are real.
    func wholeNumbers(_ count: Int, upTo bound: Int) -> [Float] {
        (0..<count).map { _ in Float(integer(in: -bound...bound)) }
    }
    func rowNumbers(_ count: Int, below bound: Int) -> [Int32] {
        (0..<count).map { _ in Int32(integer(in: 0...bound - 1)) }
    }

    // MARK: Memory

    /// What an operation reads and must leave alone; random unless `values` are given.
    func input(
        _ rows: Int, _ columns: Int, gap: Int = 0, in range: ClosedRange<Float> = -1...1, values: [Float]? = nil
    ) -> Tensor {
        block(rows, columns, gap, nil, 0, values ?? numbers(rows * columns, in: range))
    }

    /// What an operation overwrites.
    func output(_ name: String, _ rows: Int, _ columns: Int, gap: Int = 0, floor: Float = 0) -> Tensor {
        block(rows, columns, gap, name, floor, [Float](repeating: Self.unwritten, count: rows * columns))
    }

    /// What an operation changes or adds to; random at first unless `values` are given.
    func changing(
        _ name: String, _ rows: Int, _ columns: Int, gap: Int = 0, floor: Float = 0, values: [Float]? = nil
    ) -> Tensor {
        block(rows, columns, gap, name, floor, values ?? numbers(rows * columns))
    }

    func indices(_ values: [Int32]) -> Indices {
        let margin = [Int32](repeating: .min, count: Self.guardCount)
        let whole = margin + values + margin
        let storage = backend.allocateIndices(whole.count)
        backend.upload(whole, to: storage.indices)
        indexBlocks.append(IndexBlock(storage: storage, before: whole))
        return Indices(base: storage.base + margin.count, count: values.count)
    }

    /// Indices that an operation overwrites; the case reports what comes out.
    func outputIndices(_ count: Int) -> Indices {
        let indices = indices([Int32](repeating: 0, count: count))
        indexBlocks[indexBlocks.count - 1].isOutput = true
        return indices
    }

    /// A dropout whose rows carry arbitrary global numbers.
    func dropout(_ rate: Float, rows: Int) -> Dropout {
        let numbers = (0..<rows).map { _ in Int32.random(in: .min ... .max, using: &generator) }
        return Dropout(
            rate: rate, seed: generator.next(), step: UInt32(truncatingIfNeeded: generator.next()),
            place: UInt32(integer(in: 0...40)), rowNumbers: indices(numbers))
    }

    /// A number that an operation returned.
    func report(_ name: String, _ value: Double, floor: Float = 0) {
        reports.append(Result(name, [Float(value)], floor: floor))
    }
    /// Whole numbers that an operation returned: they must agree exactly.
    func report(_ name: String, exactly values: [Int]) {
        reports.append(Result(name, values.map { Float($0) }, exact: true))
    }

    private func block(
        _ rows: Int, _ columns: Int, _ gap: Int, _ name: String?, _ floor: Float, _ values: [Float]
    ) -> Tensor {
        precondition(values.count == rows * columns, "as many values as elements")
        let stride = columns + gap
        var whole = [Float](repeating: Self.guardValue, count: 2 * Self.guardCount + rows * stride)
        for row in 0..<rows {
            let start = Self.guardCount + row * stride
            whole.replaceSubrange(start..<start + columns, with: values[row * columns..<(row + 1) * columns])
        }
        let storage = backend.allocate(whole.count)
        backend.upload(whole, to: storage.tensor)
        let tensor = Tensor(base: storage.base + Self.guardCount, rows: rows, columns: columns, stride: stride)
        blocks.append(Block(storage: storage, tensor: tensor, name: name, floor: floor, before: whole))
        return tensor
    }

    // MARK: Afterwards

    /// Results in order of allocation and report, and damage to guards and inputs.
    func outcome() -> Outcome {
        var outcome = Outcome(results: reports, damage: [])
        for (number, block) in blocks.enumerated() {
            let after = backend.download(block.storage.tensor)
            if let place = firstDamage(block, after) {
                outcome.damage.append("block \(number) (\(block.name ?? "an input")): \(place)")
            }
            if let name = block.name {
                outcome.results.append(Result(name, backend.download(block.tensor), floor: block.floor))
            }
        }
        for block in indexBlocks {
            var after = backend.download(block.storage.indices)
            if block.isOutput {
                let inside = Self.guardCount..<after.count - Self.guardCount
                after.replaceSubrange(inside, with: block.before[inside])
            }
            if after != block.before { outcome.damage.append("indices were changed") }
        }
        return outcome
    }

    private func firstDamage(_ block: Block, _ after: [Float]) -> String? {
        let (stride, columns) = (block.tensor.stride, block.tensor.columns)
        for i in after.indices where after[i].bitPattern != block.before[i].bitPattern {
            let offset = i - Self.guardCount
            if offset < 0 { return "\(-offset) floats before its start" }
            if offset >= block.tensor.rows * stride {
                return "\(offset - block.tensor.rows * stride) floats past its end"
            }
            if offset % stride >= columns { return "\(offset % stride - columns) floats past row \(offset / stride)" }
            if block.name == nil { return "element (\(offset / stride), \(offset % stride)) is only to be read" }
        }
        return nil
    }
}

/// One tensor or number that came out.
struct Result {
    let name: String
    let values: [Float]
    let exact: Bool
    /// Errors are never measured against less than this: the size of the terms where they cancel.
    let floor: Float

    init(_ name: String, _ values: [Float], exact: Bool = false, floor: Float = 0) {
        self.name = name
        self.values = values
        self.exact = exact
        self.floor = floor
    }
}

/// Everything that one run of a case left.
struct Outcome {
    var results: [Result]
    var damage: [String]
}
