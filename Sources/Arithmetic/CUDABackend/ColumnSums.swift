import CCUDA
import Tensors

extension CUDABackend {
    /// Adds the column sums of `parts` [count, columns] to vectors, at the latest before anything reads these: each target gets the columns
    /// from its `first` on. Many parts are summed in two launches, so that the whole device is busy.
    func addColumnSums(
        _ parts: UnsafeMutablePointer<Float>, count: Int, columns: Int, to targets: [(first: Int, target: Tensor?)]
    ) {
        let (partsPerGroup, groups) = Geometry.columnSums(parts: count)
        var sum = cu_column_sums()
        (sum.parts, sum.part_count, sum.columns) = (UnsafePointer(parts), Int32(count), Int32(columns))
        sum.parts_per_group = Int32(partsPerGroup)
        if groups > 1 {
            let sums = Scratch(4 * groups * columns, on: queue)
            sum.sums = sums.pointer()
            queue.with { [sum] in $0.launch([sum], groups: groups) }
            return addColumnSums(sums.pointer(), count: groups, columns: columns, to: targets)
        }
        let all = targets.map { first, target in
            cu_sum_target(base: target?.pointer, first: Int32(first), count: Int32(target?.count ?? 0))
        }
        let none = cu_sum_target()
        sum.targets = (all[0], all.count > 1 ? all[1] : none, all.count > 2 ? all[2] : none)
        queue.with { [sum] in $0.add(sum) }
    }
}

extension Stream {
    /// Adds sums to their targets: at once, or, while commands are recorded, later and together with others.
    fileprivate func add(_ sum: cu_column_sums) {
        guard isRecording else { return launch([sum]) }
        if sums.isFull || sum.ranges.contains(where: sums.areAdded) { addPendingSums() }
        sums.append(sum)
    }

    /// Adds those that wait.
    func addPendingSums() {
        let (all, blocks) = sums.removeAll()
        if !all.isEmpty { launch(all) }
        for (address, bytes) in blocks { release(address, bytes) }
    }

    fileprivate func launch(_ all: [cu_column_sums], groups: Int = 1) {
        var list = cu_sum_list()
        var blocks: Int32 = 0
        withUnsafeMutableBytes(of: &list.all) { bytes in
            let places = bytes.bindMemory(to: cu_column_sums.self)
            for (place, sum) in all.enumerated() {
                places[place] = sum
                places[place].first_block = blocks
                blocks += max(1, (sum.columns + 31) / 32)
            }
        }
        list.count = Int32(all.count)
        launch(.addColumnSums, Grid(x: Int(blocks), y: groups), list)
    }
}

/// Sums over the parts of operations that wait while a step is recorded. Each alone would be a launch of some microseconds in which most
/// of the device is idle; so the gradients of a step's biases, scales and shifts are complete after one, at its end.
struct PendingSums {
    private var all: [cu_column_sums] = []
    /// Memory of parts that its operation does not need any more.
    private var blocks: [(address: cu_address, bytes: Int)] = []

    var isFull: Bool { all.count == Int(SUMS_AT_ONCE) }

    mutating func append(_ sum: cu_column_sums) { all.append(sum) }

    /// Whether a block that is released has parts of a sum that waits: then it is kept until the sum is added.
    mutating func keep(_ address: cu_address, _ bytes: Int) -> Bool {
        guard all.contains(where: { UInt(bitPattern: $0.parts) == UInt(address) }) else { return false }
        blocks.append((address, bytes))
        return true
    }

    /// Whether any is added to memory in this range.
    func areAdded(to range: Range<cu_address>) -> Bool {
        all.contains { $0.ranges.contains { $0.overlaps(range) } }
    }

    /// Whether a kernel may read or overwrite what they are added to.
    func areTouched(by kernel: Kernel) -> Bool { !all.isEmpty && kernel.mayUseGradients }

    /// Whether a command may.
    func areTouched(by command: Command) -> Bool {
        switch command {
        case .launch(let kernel, _, _): areTouched(by: kernel)
        case .product: false  // reads activations and weights, and adds to gradients of matrices
        case .set(let address, _, let bytes): areAdded(to: address..<address + UInt64(bytes))
        case .copy(let target, let source, let bytes):
            areAdded(to: target..<target + UInt64(bytes)) || areAdded(to: source..<source + UInt64(bytes))
        }
    }

    mutating func removeAll() -> ([cu_column_sums], [(address: cu_address, bytes: Int)]) {
        defer { (all, blocks) = ([], []) }
        return (all, blocks)
    }
}

extension cu_column_sums {
    /// The memory that it is added to.
    fileprivate var ranges: [Range<cu_address>] {
        [targets.0, targets.1, targets.2].filter { $0.base != nil }.map {
            let start = cu_address(UInt(bitPattern: $0.base))
            return start..<start + UInt64(4 * $0.count)
        }
    }
}

extension Kernel {
    /// Whether it may read or overwrite gradients of parameters: all but those that backward passes are made of, which only add to them.
    fileprivate var mayUseGradients: Bool {
        switch self {
        case .residualNormBackward, .activateBackward, .convolveBackward, .convolveWindowBackward, .scanBackwardShort,
            .scanBackwardLong, .scanTimedBackward, .scanBackwardEnds, .scatterRows, .addColumnSums:
            false
        default: true
        }
    }
}
