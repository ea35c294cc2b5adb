package import Tensors

/// Arguments of an operation in a backend's memory, with random numbers.
///
/// Every argument has a name. Requesting a name again returns the same memory: a backward pass that is prepared after its
/// forward pass reads that pass's results, and one that is prepared alone reads random numbers. The gradient of the argument
/// "x" is called "gradient of x".
///
/// Equal seeds give equal numbers on every backend. With guards, every block, and every row of a strided one, is surrounded by floats
/// that must not be read or written: ``outcome()`` reports damage.
package final class Arguments {
    /// How an operation uses an argument.
    package enum Role {
        case read, written
        /// Read, then overwritten.
        case replaced
        /// Added to.
        case accumulated
    }

    struct Block {
        var names: [String]
        var role: Role
        let tensor: Tensor
        let storage: Storage<Float>
        let floor: Float
        /// Elements that the operation uses, where those are not all.
        let used: Int
        /// The initial contents of the storage; empty without guards.
        let before: [Float]
    }

    struct IndexBlock {
        let name: String
        let indices: Indices
        let storage: Storage<Int32>
        let before: [Int32]
        let isWritten: Bool
    }

    package let backend: any Backend
    /// Whether random numbers have no more bits than bfloat16 keeps.
    private let rounded: Bool
    let guardCount: Int
    private var generator: SeededGenerator
    private(set) var blocks: [Block] = []
    private(set) var indexBlocks: [IndexBlock] = []
    private(set) var reports: [OperationResult] = []
    private var dropout: Dropout?
    /// What an operation returned as its loss, times the scale of the gradients.
    private(set) var returnedLoss = 0.0

    /// The guard before, after and between rows: a NaN with a payload, so that reading it spoils the result.
    static let guardValue = Float(bitPattern: 0x7FC0_5A5A)
    /// The initial value of what is to be overwritten.
    static let unwritten = Float(bitPattern: 0x7FC0_BEEF)

    /// For correctness: with guards.
    package init(_ backend: any Backend, seed: UInt64, rounded: Bool = false) {
        self.backend = backend
        self.rounded = rounded
        guardCount = 19
        generator = SeededGenerator(seed: seed)
    }

    /// For measuring time: without guards, aligned as the backend aligns blocks, with zeros in what is overwritten and repeated numbers
    /// in large blocks.
    package init(measuring backend: any Backend) {
        self.backend = backend
        rounded = false
        guardCount = 0
        generator = SeededGenerator(seed: 3)
    }

    private var isMeasuring: Bool { guardCount == 0 }

    // MARK: Random numbers

    func number(in range: ClosedRange<Float>) -> Float {
        let unit = Float(generator.next() >> 40) * 0x1p-24
        let number = range.lowerBound + unit * (range.upperBound - range.lowerBound)
        return rounded ? Float(bitPattern: number.bitPattern & 0xFFFF_0000) : number
    }
    func integer(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(generator.next() >> 1) % (range.upperBound - range.lowerBound + 1)
    }
    package func numbers(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
        var numbers = [Float](repeating: 0, count: count)
        var index = 0  // a loop without iterators: tests are not optimised
        while index < count {
            numbers[index] = number(in: range)
            index += 1
        }
        return numbers
    }
    /// Whole numbers: sums of their products are exact in single precision, and ties between them are real.
    func wholeNumbers(_ count: Int, upTo bound: Int) -> [Float] {
        numbers(count, in: Float(-bound)...Float(bound + 1)).map { $0.rounded(.down) }
    }
    func rowNumbers(_ count: Int, below bound: Int) -> [Int32] {
        (0..<count).map { _ in Int32(integer(in: 0...bound - 1)) }
    }

    // MARK: Tensors

    /// An argument that an operation reads and must not change; random unless `values` are given. `used` is the number of elements that
    /// it needs, by default all.
    package func input(
        _ name: String, _ rows: Int, _ columns: Int, gap: Int = 0, in range: ClosedRange<Float> = -1...1,
        used: Int? = nil, values: @autoclosure () -> [Float]? = nil
    ) -> Tensor {
        block(name, .read, rows, columns, gap: gap, used: used, in: range, values: values)
    }

    /// An argument that an operation overwrites. Errors are never measured against less than `floor`: the size of the terms where they cancel.
    package func output(_ name: String, _ rows: Int, _ columns: Int, gap: Int = 0, floor: Float = 0) -> Tensor {
        block(name, .written, rows, columns, gap: gap, floor: floor)
    }

    /// An argument that an operation reads and then overwrites, possibly with a result of another name.
    func replaced(
        _ name: String, by other: String? = nil, _ rows: Int, _ columns: Int, gap: Int = 0, floor: Float = 0,
        in range: ClosedRange<Float> = -1...1, values: @autoclosure () -> [Float]? = nil
    ) -> Tensor {
        let tensor = block(name, .replaced, rows, columns, gap: gap, floor: floor, in: range, values: values)
        let index = index(of: name)!
        blocks[index].role = .replaced
        if let other { blocks[index].names.append(other) }
        return tensor
    }

    /// An argument that an operation adds to.
    func accumulated(
        _ name: String, _ rows: Int, _ columns: Int, gap: Int = 0, floor: Float = 0, used: Int? = nil
    ) -> Tensor {
        block(name, .accumulated, rows, columns, gap: gap, floor: floor, used: used)
    }

    /// A second name for an argument.
    func name(_ name: String, also other: String) { blocks[index(of: name)!].names.append(other) }

    func index(of name: String) -> Int? { blocks.firstIndex { $0.names.contains(name) } }

    private func block(
        _ name: String, _ role: Role, _ rows: Int, _ columns: Int, gap: Int = 0, floor: Float = 0, used: Int? = nil,
        in range: ClosedRange<Float> = -1...1, values: () -> [Float]? = { nil }
    ) -> Tensor {
        if let index = index(of: name) { return blocks[index].tensor }
        let (count, stride) = (rows * columns, columns + gap)
        let storage = backend.allocate(2 * guardCount + rows * stride)
        let tensor = storage.tensor(at: guardCount, rows: rows, columns: columns, stride: stride)
        var before: [Float] = []
        if !isMeasuring {
            let unwritten = role == .written ? [Float](repeating: Self.unwritten, count: count) : nil
            before = surrounded(unwritten ?? values() ?? numbers(count, in: range), tensor)
            backend.upload(before, to: storage.tensor)
        } else if role != .written {
            fill(storage.tensor, in: range)
        }
        blocks.append(
            Block(
                names: [name], role: role, tensor: tensor, storage: storage, floor: floor, used: used ?? count,
                before: before))
        return tensor
    }

    /// The tensor's elements between guards.
    private func surrounded(_ values: [Float], _ tensor: Tensor) -> [Float] {
        precondition(values.count == tensor.count, "as many values as elements")
        var whole = [Float](repeating: Self.guardValue, count: 2 * guardCount + tensor.rows * tensor.stride)
        for row in 0..<tensor.rows {
            let start = guardCount + row * tensor.stride
            whole.replaceSubrange(
                start..<start + tensor.columns, with: values[row * tensor.columns..<(row + 1) * tensor.columns])
        }
        return whole
    }

    /// A million random numbers, repeated.
    private func fill(_ whole: Tensor, in range: ClosedRange<Float>) {
        var known = min(whole.count, 1 << 20)
        backend.upload(numbers(known, in: range), to: whole)
        while known < whole.count {
            let more = min(known, whole.count - known)
            backend.copy(whole.columns(0..<more), to: whole.columns(known..<known + more))
            known += more
        }
    }

    // MARK: Indices, dropout, results

    package func indices(_ name: String, _ values: @autoclosure () -> [Int32]) -> Indices {
        if let block = indexBlocks.first(where: { $0.name == name }) { return block.indices }
        return indices(name, values(), isWritten: false)
    }

    /// Indices that an operation overwrites; the case reports what comes out.
    func outputIndices(_ name: String, _ count: Int) -> Indices {
        indices(name, [Int32](repeating: 0, count: count), isWritten: true)
    }

    private func indices(_ name: String, _ values: [Int32], isWritten: Bool) -> Indices {
        let margin = [Int32](repeating: .min, count: guardCount)
        let whole = margin + values + margin
        let storage = backend.allocateIndices(whole.count)
        backend.upload(whole, to: storage.indices)
        let indices = storage.indices.range(guardCount..<guardCount + values.count)
        indexBlocks.append(
            IndexBlock(name: name, indices: indices, storage: storage, before: whole, isWritten: isWritten))
        return indices
    }

    /// A dropout whose rows carry arbitrary global numbers; nil without a rate.
    func dropout(_ rate: Float?, rows: Int) -> Dropout? {
        guard let rate else { return nil }
        if let dropout { return dropout }
        let numbers = (0..<rows).map { _ in Int32.random(in: .min ... .max, using: &generator) }
        dropout = Dropout(
            rate: rate, seed: generator.next(), step: UInt32(truncatingIfNeeded: generator.next()),
            place: UInt32(integer(in: 0...40)), rowNumbers: indices("row numbers", numbers))
        return dropout
    }

    /// A number that an operation returned.
    func report(_ name: String, _ value: Double, floor: Float = 0) {
        report(OperationResult(name, [Float(value)], floor: floor))
    }
    /// A loss, whose gradients are multiplied by `gradientScale`.
    func report(_ name: String, _ value: Double, floor: Float, gradientScale: Float) {
        report(name, value, floor: floor)
        returnedLoss = Double(gradientScale) * value
    }
    /// Whole numbers that an operation returned: they must agree exactly.
    func report(_ name: String, exactly values: [Int]) {
        report(OperationResult(name, values.map { Float($0) }, exact: true))
    }
    private func report(_ result: OperationResult) {
        reports.removeAll { $0.name == result.name }
        reports.append(result)
    }
}
