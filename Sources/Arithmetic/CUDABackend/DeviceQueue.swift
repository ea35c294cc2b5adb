import CCUDA
import Foundation
import Tensors

/// A ``Stream`` that many threads may use, one at a time.
final class DeviceQueue: @unchecked Sendable {
    let device: CUDADevice
    private let stream: Stream
    /// Recursive, because whoever records keeps it until the end: the commands of others belong before or after.
    private let lock = NSRecursiveLock()

    init(_ libraries: Libraries, ordinal: Int, cache: KernelCache) throws(CUDAError) {
        stream = try Stream(libraries, ordinal: ordinal, cache: cache)
        device = stream.device
    }

    /// Calls `body` with the stream, on a thread that may talk to the device.
    func with<Result>(_ body: (Stream) -> Result) -> Result {
        lock.lock()
        defer { lock.unlock() }
        stream.enter()
        return body(stream)
    }

    /// Keeps other threads out until ``release()``: what an operation has staged stays until the kernels that read it are queued.
    func hold() { lock.lock() }
    /// Ends ``hold()``.
    func release() { lock.unlock() }

    /// Runs `body`, whose commands, and nobody else's, are started as one.
    func recordAsGraph(_ body: () -> Void) {
        lock.lock()
        defer { lock.unlock() }
        let isOutermost = with { $0.startRecording() }
        body()
        if isOutermost { with { $0.finishRecording() } }
    }

    /// Memory that lasts as long as what is returned.
    func storage<Element: BitwiseCopyable & Sendable>(_ count: Int, of type: Element.Type) -> Storage<Element> {
        let bytes = max(1, count) * MemoryLayout<Element>.stride
        let address = with { stream in
            let address = stream.allocate(bytes)
            stream.set(address, bytes: bytes)
            return address
        }
        let pointer = UnsafeMutablePointer<Element>(bitPattern: UInt(address))!
        return Storage(pointer, count: count, in: .device) { _ in self.with { $0.giveBack(address, bytes) } }
    }
}

/// Memory that one operation needs while it is queued, with anything in it.
struct Scratch: ~Copyable {
    let address: cu_address
    private let bytes: Int
    private let queue: DeviceQueue

    init(_ bytes: Int, on queue: DeviceQueue) {
        (self.bytes, self.queue) = (max(1, bytes), queue)
        address = queue.with { [bytes = max(1, bytes)] in $0.allocate(bytes) }
    }

    /// The memory as numbers.
    func pointer<Element>(_ type: Element.Type = Element.self) -> UnsafeMutablePointer<Element> {
        UnsafeMutablePointer(bitPattern: UInt(address))!
    }

    /// Its first elements as a matrix, which must not outlive it.
    func tensor(rows: Int, columns: Int) -> Tensor { Tensor(pointer(), rows: rows, columns: columns, in: .device) }
    /// Its first elements as indices, which must not outlive it.
    func indices(_ count: Int) -> Indices { Indices(pointer(), count: count, in: .device) }

    deinit { queue.with { $0.giveBack(address, bytes) } }
}
