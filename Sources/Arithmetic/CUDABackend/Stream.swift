import CCUDA
import Tensors

/// The stream of commands of one device, with its memory, kernels, plans of products and graphs. Used by one thread at a time,
/// which ``DeviceQueue`` ensures.
///
/// After the first failure no more commands are given to the device.
final class Stream {
    let device: CUDADevice
    let driver: cu_driver
    private let number: Int32
    private let context: UnsafeMutableRawPointer?
    let handle: UnsafeMutableRawPointer?
    private let kernels: Kernels
    var pool = MemoryPool()
    private var scanLinks = ScanLinks(address: 0, words: 0)
    private var plans: ProductPlans
    private let workspace: cu_address
    let branch: Branch
    private let staging: Staging
    var recorder: Recorder
    /// What the step that is being recorded still has to add to its gradients.
    var sums = PendingSums()
    private(set) var failure: CUDAError?

    /// Bytes of uploads that may be pending at once.
    private static let stagingBytes = 8 << 20

    init(_ libraries: Libraries, ordinal: Int, cache: KernelCache) throws(CUDAError) {
        let driver = libraries.driver
        var count: Int32 = 0
        _ = driver.cuDeviceGetCount(&count)
        guard (0..<Int(count)).contains(ordinal) else { throw .noSuchDevice(ordinal, count: Int(count)) }
        let device = CUDADevice(ordinal, libraries)
        if let problem = device.problem { throw problem }
        var (number, context, handle): (Int32, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) = (0, nil, nil)
        try driver.expect(driver.cuDeviceGet(&number, Int32(ordinal)), "cuDeviceGet")
        try driver.expect(driver.cuDevicePrimaryCtxRetain(&context, number), "cuDevicePrimaryCtxRetain")
        do throws(CUDAError) {
            try driver.expect(driver.cuCtxSetCurrent(context), "cuCtxSetCurrent")
            try driver.expect(driver.cuStreamCreate(&handle, UInt32(CU_STREAM_NOT_BLOCKING)), "cuStreamCreate")
            kernels = try Kernels(device, libraries, cache)
            plans = try ProductPlans(try libraries.products())
            workspace = try driver.memory(ProductPlans.workspaceBytes)
            branch = try Branch(driver)
            staging = try driver.staging(Self.stagingBytes)
        } catch {
            _ = driver.cuDevicePrimaryCtxRelease_v2(number)  // with everything in it
            throw error
        }
        recorder = Recorder(driver)
        (self.device, self.driver, self.number, self.context, self.handle) = (device, driver, number, context, handle)
        _ = scanLinks(words: 1)  // from the beginning, so that seldom a step has to get them
    }

    /// Every block of memory holds a reference to the stream, so all of them are in the pool now.
    deinit {
        enter()
        _ = driver.cuStreamSynchronize(handle)
        recorder.free()
        plans.free()
        release(scanLinks.address, 8 * scanLinks.words)
        branch.free()
        for address in pool.drain() + [workspace] { _ = driver.cuMemFree_v2(address) }
        driver.free(staging)
        _ = driver.cuModuleUnload(kernels.module)
        _ = driver.cuStreamDestroy_v2(handle)
        _ = driver.cuDevicePrimaryCtxRelease_v2(number)
    }

    /// Makes the device's context current on the calling thread. Every use of a stream begins with it.
    func enter() { _ = driver.cuCtxSetCurrent(context) }

    /// Stores the first error.
    func fail(_ error: CUDAError) { if failure == nil { failure = error } }

    func check(_ result: Int32, _ call: String) {
        if result != CU_OK { fail(.call(call, error: driver.text(result))) }
    }

    // MARK: Memory

    /// A block of at least `bytes`, uninitialised. Where memory is exhausted: a failure, and an address that must not be used.
    func allocate(_ bytes: Int) -> cu_address {
        let size = MemoryPool.blockSize(bytes)
        return pool.take(size) ?? allocateNew(size)
    }

    /// A block of `size` bytes that nobody has had before.
    private func allocateNew(_ size: Int) -> cu_address {
        guard failure == nil else { return 256 }
        var address: cu_address = 0
        var result = driver.cuMemAlloc_v2(&address, size)
        if result == CU_OUT_OF_MEMORY {
            freeUnusedMemory()
            result = driver.cuMemAlloc_v2(&address, size)
        }
        guard result != CU_OUT_OF_MEMORY else {
            fail(driver.outOfMemory(size))
            return 256
        }
        check(result, "cuMemAlloc")
        guard failure == nil else { return 256 }
        pool.register(address, size)
        return address
    }

    func release(_ address: cu_address, _ bytes: Int) {
        if !sums.keep(address, bytes) { pool.release(address, MemoryPool.blockSize(bytes)) }
    }

    /// Memory of the scans that holds at least `words`; zeroed when it is new, at once and not as a part of what is recorded. Commands
    /// that were given an older block may still use it: like any other it is reused in the order of commands.
    func scanLinks(words: Int) -> ScanLinks {
        guard scanLinks.words < words else { return scanLinks }
        release(scanLinks.address, 8 * scanLinks.words)
        let size = ScanLinks.blockSize(words: words)
        scanLinks = ScanLinks(address: allocateNew(size), words: size / 8)
        if failure == nil { check(driver.cuMemsetD8Async(scanLinks.address, 0, size, handle), "cuMemsetD8Async") }
        return scanLinks
    }

    /// Unused blocks may be part of what is recorded, which is therefore started first.
    private func freeUnusedMemory() {
        if recorder.isRecording { startRecordedSoFar() }
        check(driver.cuStreamSynchronize(handle), "cuStreamSynchronize")
        for address in pool.drain() { check(driver.cuMemFree_v2(address), "cuMemFree") }
    }

    // MARK: Commands

    /// Starts a kernel with its one argument.
    func launch<Argument>(_ kernel: Kernel, _ grid: Grid, _ argument: Argument) {
        guard failure == nil else { return }
        if sums.areTouched(by: kernel) { addPendingSums() }
        withUnsafeBytes(of: argument) { bytes in
            guard recorder.isRecording else { return launch(kernel, grid, bytes.baseAddress!) }
            let range = recorder.list.append(bytes)
            recorder.list.commands.append(.launch(kernel, grid, argument: range))
        }
    }

    func product(_ shape: ProductShape, _ a: Tensor, _ b: Tensor, _ output: Tensor, accumulates: Bool, besideNext: Bool)
    {
        guard failure == nil else { return }
        if plans.isFull, !recorder.isRecording { forgetPlans() }
        do {
            let plan = try plans.number(of: shape)
            run(
                .product(
                    plan: plan, a: a.address, b: b.address, output: output.address, accumulates: accumulates,
                    besideNext: besideNext))
        } catch { fail(error) }
    }

    /// Recorded lists refer to plans by number, so they are dropped as well.
    private func forgetPlans() {
        synchronize()
        recorder.forgetGraphs()
        plans.forget()
    }

    func set(_ address: cu_address, to value: UInt8 = 0, bytes: Int) { run(.set(address, to: value, bytes: bytes)) }
    func copy(from source: cu_address, to target: cu_address, bytes: Int) {
        run(.copy(to: target, from: source, bytes: bytes))
    }

    private func run(_ command: Command) {
        guard failure == nil else { return }
        if sums.areTouched(by: command) { addPendingSums() }
        if recorder.isRecording { recorder.list.commands.append(command) } else { issue(command, of: []) }
    }

    /// Gives a command to the driver; `bytes` are those of its list. On the branch: a product.
    func issue(_ command: Command, of bytes: [UInt8], on branch: Branch? = nil) {
        switch command {
        case .launch(let kernel, let grid, let argument):
            bytes.withUnsafeBytes { launch(kernel, grid, $0.baseAddress! + argument.lowerBound) }
        case .product(let plan, let a, let b, let output, let accumulates, _):
            let status = plans.run(
                plans.plans[plan], a: a, b: b, output: output, accumulates: accumulates,
                workspace: branch?.workspace ?? workspace, stream: branch?.stream ?? handle)
            if status != 0 { fail(.call("cublasLtMatmul", error: "status \(status)")) }
        case .set(let address, let value, let count):
            check(driver.cuMemsetD8Async(address, value, count, handle), "cuMemsetD8Async")
        case .copy(let target, let source, let count):
            check(driver.cuMemcpyDtoDAsync_v2(target, source, count, handle), "cuMemcpyDtoDAsync")
        }
    }

    private func launch(_ kernel: Kernel, _ grid: Grid, _ argument: UnsafeRawPointer) {
        var parameters: UnsafeMutableRawPointer? = UnsafeMutableRawPointer(mutating: argument)
        let result = driver.cuLaunchKernel(
            kernels.functions[kernel], UInt32(grid.x), UInt32(grid.y), 1, UInt32(grid.threads), 1, 1,
            UInt32(grid.sharedBytes), handle, &parameters, nil)
        check(result, "cuLaunchKernel(\(kernel.rawValue))")
    }

    // MARK: Between host and device

    /// Copies bytes to the device's memory, where they stay until the next commands have read them; returns their address.
    func stage(_ bytes: UnsafeRawBufferPointer) -> cu_address {
        guard failure == nil else { return 256 }
        if recorder.isRecording {
            if let address = recorder.stage(bytes) { return address }
            startRecordedSoFar()
            do { try recorder.grow(for: bytes.count) } catch { fail(error) }
            return recorder.stage(bytes) ?? 256
        }
        precondition(bytes.count <= Self.stagingBytes, "more bytes than can be uploaded at once")
        var start = staging.put(bytes)
        if start == nil {
            synchronize()
            staging.restart()
            start = staging.put(bytes)
        }
        let result = driver.cuMemcpyHtoDAsync_v2(
            staging.device + UInt64(start!), staging.host + start!, bytes.count, handle)
        check(result, "cuMemcpyHtoDAsync")
        return staging.device + UInt64(start!)
    }

    /// Copies to any memory of the device.
    func upload(_ bytes: UnsafeRawBufferPointer, to target: cu_address) {
        let piece = Self.stagingBytes / 4
        for start in stride(from: 0, to: bytes.count, by: piece) {
            let part = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + piece, bytes.count)])
            copy(from: stage(part), to: target + UInt64(start), bytes: part.count)
        }
    }

    /// Waits for all commands so far and copies from the device.
    func download(from source: cu_address, to bytes: UnsafeMutableRawBufferPointer) {
        precondition(!recorder.isRecording, "nothing can be read while commands are recorded")
        guard failure == nil, bytes.count > 0 else { return }
        check(driver.cuMemcpyDtoHAsync_v2(bytes.baseAddress, source, bytes.count, handle), "cuMemcpyDtoHAsync")
        synchronize()
    }

    /// Waits for all commands so far.
    func synchronize() {
        guard failure == nil else { return }
        check(driver.cuStreamSynchronize(handle), "cuStreamSynchronize")
    }

    // MARK: Time

    /// Milliseconds between two events, before and after the commands of `body`; see ``CUDABackend/deviceSeconds(_:)``.
    func milliseconds(_ body: () -> Void) -> Double {
        var (from, to): (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) = (nil, nil)
        check(driver.cuEventCreate(&from, UInt32(CU_EVENT_WITH_TIME)), "cuEventCreate")
        check(driver.cuEventCreate(&to, UInt32(CU_EVENT_WITH_TIME)), "cuEventCreate")
        check(driver.cuEventRecord(from, handle), "cuEventRecord")
        body()
        check(driver.cuEventRecord(to, handle), "cuEventRecord")
        check(driver.cuEventSynchronize(to), "cuEventSynchronize")
        var time: Float = 0
        check(driver.cuEventElapsedTime(&time, from, to), "cuEventElapsedTime")
        for event in [from, to] { _ = driver.cuEventDestroy_v2(event) }
        return Double(time)
    }
}
