import CCUDA
package import Foundation
package import Tensors

/// The operations on an NVIDIA GPU: CUDA kernels, compiled for the device at first use, and cuBLASLt for products.
///
/// Calls are queued in one stream, from any thread; results are the same from run to run, bit for bit. Tensors are in the
/// device's memory. The first error is in ``failure``; nothing is computed after it.
package struct CUDABackend: Backend {
    /// The GPU that computes.
    package var device: CUDADevice { queue.device }
    /// The precision of matrix products in training; scores for rankings are always float32.
    package let precision: Precision
    let queue: DeviceQueue

    /// A backend on the GPU numbered `ordinal`. Opens the libraries and, where the disk does not hold them yet, compiles the
    /// kernels (some seconds).
    ///
    /// `folders` are searched for libraries first; by default those of the environment's `RECBLR_CUDA_PATH`. Machine code is
    /// cached in `cacheFolder`, or not at all where that is nil.
    package init(
        ordinal: Int = 0, precision: Precision = .tf32, searching folders: [String] = environmentFolders(),
        cacheFolder: URL? = standardKernelFolder()
    ) throws(CUDAError) {
        let libraries = try Libraries(searching: folders)
        queue = try DeviceQueue(libraries, ordinal: ordinal, cache: KernelCache(folder: cacheFolder))
        self.precision = precision
    }

    private init(_ queue: DeviceQueue, _ precision: Precision) { (self.queue, self.precision) = (queue, precision) }

    /// The same device and memory with another precision.
    package func with(_ precision: Precision) -> CUDABackend { CUDABackend(queue, precision) }

    /// "CUDA NVIDIA H100 tf32": the device and the precision.
    package var name: String { "CUDA \(device.name) \(precision.rawValue)" }
    /// Calls are always queued.
    package var isQueued: Bool { true }
    package var failure: String? { queue.with { $0.failure?.description } }

    package func recordAsGraph(_ body: () -> Void) { queue.recordAsGraph(body) }

    // MARK: Memory

    package func allocate(_ count: Int) -> Storage<Float> { queue.storage(count, of: Float.self) }
    package func allocateIndices(_ count: Int) -> Storage<Int32> { queue.storage(count, of: Int32.self) }
    package func allocateSum() -> LossSum { queue.storage(1, of: Double.self) }

    package func upload(_ values: [Float], to tensor: Tensor) {
        precondition(tensor.isContiguous && values.count <= tensor.count, "an upload fits its tensor")
        values.withUnsafeBytes { bytes in queue.with { $0.upload(bytes, to: tensor.address) } }
    }

    package func upload(_ values: [Int32], to indices: Indices) {
        precondition(values.count <= indices.count, "an upload fits its indices")
        values.withUnsafeBytes { bytes in queue.with { $0.upload(bytes, to: indices.address) } }
    }

    package func write(_ value: Double, to sum: LossSum) {
        withUnsafeBytes(of: value) { bytes in queue.with { $0.upload(bytes, to: sum.address) } }
    }

    package func staged(_ values: [Int32]) -> Indices {
        let (pointer, owner) = stagedMemory(values)
        return Indices(pointer, count: values.count, in: .device, owner: owner)
    }

    package func staged(_ values: [Float]) -> Tensor {
        let (pointer, owner) = stagedMemory(values)
        return Tensor(pointer, rows: 1, columns: values.count, in: .device, owner: owner)
    }

    /// Memory with these values: within a recording a part of what is uploaded before it is started, else a block of its own.
    func stagedMemory<Element: BitwiseCopyable & Sendable>(
        _ values: [Element]
    ) -> (UnsafeMutablePointer<Element>, owner: Storage<Element>?) {
        let staged = values.withUnsafeBytes { bytes in
            queue.with { [bytes] in $0.isRecording ? $0.stage(bytes) : nil }
        }
        if let staged { return (UnsafeMutablePointer(bitPattern: UInt(staged))!, nil) }
        let storage = storage(of: values)
        return (storage.pointer, storage)
    }

    /// A block of its own with these values.
    func storage<Element: BitwiseCopyable & Sendable>(of values: [Element]) -> Storage<Element> {
        let storage = queue.storage(values.count, of: Element.self, zeroed: false)
        values.withUnsafeBytes { bytes in queue.with { [bytes] in $0.upload(bytes, to: storage.address) } }
        return storage
    }

    package func download(_ tensor: Tensor) -> [Float] {
        if tensor.isContiguous { return download(from: tensor.address, tensor.count) }
        let dense = Scratch(4 * tensor.count, on: queue)
        copy(tensor, to: dense.tensor(rows: tensor.rows, columns: tensor.columns))
        return download(from: dense.address, tensor.count)
    }

    package func download(_ indices: Indices) -> [Int32] { download(from: indices.address, indices.count) }

    package func read(_ sum: LossSum) -> Double { download(from: sum.address, 1)[0] }

    /// The values from `address` on; zeros where the device has failed.
    func download<Element: ExpressibleByIntegerLiteral>(from address: cu_address, _ count: Int) -> [Element] {
        var values = [Element](repeating: 0, count: count)
        values.withUnsafeMutableBytes { bytes in queue.with { $0.download(from: address, to: bytes) } }
        return values
    }

    // MARK: Measuring

    /// Seconds on the device's clock from the moment at which it has done all before to that at which it has done the operations in
    /// `body`. Where the device waits for the host to start them, that counts.
    package func deviceSeconds(_ body: () -> Void) -> Double { queue.with { $0.milliseconds(body) / 1000 } }

    /// The peak of the device's memory in use while `body` runs, in bytes beyond what was in use before.
    package func peakBytes(_ body: () -> Void) -> Int {
        let before = queue.with { stream in
            stream.pool.resetPeak()
            return stream.pool.usedBytes
        }
        body()
        return queue.with { $0.pool.peakBytes } - before
    }

    // MARK: For the operations

    func launch(_ kernel: Kernel, _ grid: Grid, _ argument: some BitwiseCopyable) {
        queue.with { $0.launch(kernel, grid, argument) }
    }

    /// Copies a value to memory that a queued kernel reads, so that the value may change from step to step while a recorded graph
    /// stays the same.
    func stage<Value: BitwiseCopyable>(_ value: Value) -> UnsafePointer<Value> {
        withUnsafeBytes(of: value) { bytes in
            UnsafePointer(bitPattern: UInt(queue.with { [bytes] in $0.stage(bytes) }))!
        }
    }

    /// A dropout as the argument of kernels; nil drops nothing.
    func argument(_ dropout: Dropout?) -> cu_dropout {
        guard let dropout else { return cu_dropout() }
        return cu_dropout(
            row_numbers: dropout.rowNumbers.pointer, step: stage(dropout.step), threshold: dropout.threshold,
            keep_scale: dropout.keepScale, seed_low: UInt32(truncatingIfNeeded: dropout.seed),
            seed_high: UInt32(truncatingIfNeeded: dropout.seed >> 32), place: dropout.place, unused: 0)
    }

    func argument(_ bias: SparseBias?) -> cu_sparse_bias {
        guard let bias else { return cu_sparse_bias() }
        return cu_sparse_bias(
            starts: bias.starts.pointer, columns: bias.columns.pointer, kinds: bias.kinds.pointer,
            values: bias.values.pointer,
            scale: bias.scale, kind_count: Int32(bias.values.count))
    }
}

extension Tensor {
    /// This tensor as the argument of kernels.
    var argument: cu_matrix {
        cu_matrix(base: pointer, rows: Int32(rows), columns: Int32(columns), stride: Int64(stride))
    }
}

extension Tensor? {
    /// This tensor as the argument of kernels; nil has no base address.
    var argument: cu_matrix { self?.argument ?? cu_matrix() }
}

extension Indices {
    /// Address of the first index in the device's memory.
    var address: cu_address { cu_address(UInt(bitPattern: pointer)) }
}

extension Storage {
    /// Address of the first element in the device's memory.
    var address: cu_address { cu_address(UInt(bitPattern: pointer)) }
}
