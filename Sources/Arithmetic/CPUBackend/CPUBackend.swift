import CKernels
package import Tensors

/// The operations on a CPU: C kernels for one instruction set, OpenBLAS (Accelerate on Apple platforms) for products.
///
/// Every call runs on the calling thread alone, so that several threads may use one backend at once, each with
/// memory of its own. The exception is ``scanThreads``.
package struct CPUBackend: HostBackend {
    /// The instruction set of the kernels.
    package let instructionSet: InstructionSet
    /// What matrix products round their operands to.
    package let precision: Precision
    /// Who multiplies matrices.
    package let products: Products
    /// How many threads may scan one long sequence in parallel; 1 for the replicas of a training run.
    package let scanThreads: Int
    let kernels: ck_kernels
    /// Packed right operands of ordered products, by address.
    var constants: [UInt: PackedMatrix] = [:]

    /// A backend for `instructionSet` and `precision`, which must be available. Row-independent products are float32, and scans then
    /// stay on one thread.
    package init(
        instructionSet: InstructionSet = .best, precision: Precision = .float32, products: Products = .library,
        scanThreads: Int = 1
    ) {
        guard let kernels = instructionSet.kernels else {
            preconditionFailure("this processor has no \(instructionSet.rawValue)")
        }
        limitBLASToOneThread()
        precondition(precision.isAvailable, "this processor has no \(precision.rawValue) products")
        self.instructionSet = instructionSet
        self.precision = precision
        precondition(
            products == .library || precision == .float32 && scanThreads == 1,
            "rows are independent in float32 on one thread")
        self.products = products
        self.scanThreads = max(1, scanThreads)
        self.kernels = kernels.pointee
    }

    /// OpenBLAS allocates a buffer of this size for each thread that computes products, and retries for ever where it cannot.
    /// Accelerate has none.
    package var addressesPerThread: Int {
        #if os(Linux)
            128 << 20
        #else
            0
        #endif
    }

    /// "CPU avx512"; with the precision where it is not float32, and with the products where they are not the library's.
    package var name: String {
        "CPU \(instructionSet.rawValue)" + (precision == .float32 ? "" : " \(precision.rawValue)")
            + (products == .library ? "" : " row-independent")
    }

    // MARK: Memory

    package func upload(_ values: [Float], to tensor: Tensor) {
        precondition(tensor.isContiguous && values.count <= tensor.count, "an upload fits its tensor")
        values.withUnsafeBufferPointer { tensor.base.update(from: $0.baseAddress!, count: $0.count) }
    }

    package func upload(_ values: [Int32], to indices: Indices) {
        precondition(values.count <= indices.count, "an upload fits its indices")
        values.withUnsafeBufferPointer { indices.base.update(from: $0.baseAddress!, count: $0.count) }
    }

    package func download(_ tensor: Tensor) -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(tensor.count)
        for row in 0..<tensor.rows {
            values.append(
                contentsOf: UnsafeBufferPointer(start: tensor.base + row * tensor.stride, count: tensor.columns))
        }
        return values
    }

    package func fill(_ tensor: Tensor, with value: Float) {
        forEachRun(of: tensor) { start, count in (tensor.base + start).update(repeating: value, count: count) }
    }

    package func clearNegatives(of tensor: Tensor) {
        forEachRun(of: tensor) { start, count in
            let run = tensor.base + start
            for i in 0..<count where run[i] < 0 { run[i] = 0 }
        }
    }

    package func copy(_ source: Tensor, to target: Tensor) {
        forEachRow(source, target) { from, to, count in to.update(from: from, count: count) }
    }

    package func add(_ source: Tensor, to target: Tensor) {
        forEachRow(source, target) { from, to, count in kernels.add(count, from, to) }
    }

    package func squaredNorm(_ tensor: Tensor) -> Double {
        var total = 0.0
        forEachRun(of: tensor) { start, count in total += kernels.squared_norm(count, tensor.base + start) }
        return total
    }

    /// Calls `body` with offset and length of each run of elements without a gap.
    private func forEachRun(of tensor: Tensor, _ body: (Int, Int) -> Void) {
        if tensor.isContiguous { return body(0, tensor.count) }
        for row in 0..<tensor.rows { body(row * tensor.stride, tensor.columns) }
    }

    /// Calls `body` with each pair of rows, or once with everything where neither tensor has gaps.
    private func forEachRow(
        _ source: Tensor, _ target: Tensor,
        _ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
    ) {
        precondition(source.rows == target.rows && source.columns == target.columns, "shapes differ")
        if source.isContiguous && target.isContiguous { return body(source.base, target.base, source.count) }
        for row in 0..<source.rows {
            body(source.base + row * source.stride, target.base + row * target.stride, source.columns)
        }
    }
}

extension Dropout {
    /// This dropout as the argument of a C kernel.
    var kernelArgument: ck_dropout {
        ck_dropout(
            threshold: threshold, keep_scale: keepScale, seed_low: UInt32(truncatingIfNeeded: seed),
            seed_high: UInt32(truncatingIfNeeded: seed >> 32), place: place, step: step, row_numbers: rowNumbers.base)
    }
}

/// A dropout that drops nothing.
nonisolated(unsafe) let noDropout = ck_dropout(
    threshold: 0, keep_scale: 1, seed_low: 0, seed_high: 0, place: 0, step: 0, row_numbers: nil)
