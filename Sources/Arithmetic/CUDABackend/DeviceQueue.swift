import CCUDA
import Foundation
import Tensors

/// A ``Stream`` that many threads may use, one at a time.
final class DeviceQueue: @unchecked Sendable {
    let device: CUDADevice
    private let stream: Stream
    /// Recursive: a thread that records a graph holds it until the end, so that commands of other threads come before or after.
    private let lock = NSRecursiveLock()

    init(_ libraries: Libraries, ordinal: Int, cache: KernelCache) throws(CUDAError) {
        stream = try Stream(libraries, ordinal: ordinal, cache: cache)
        device = stream.device
    }

    /// Calls `body` with the stream, whose context is made current on this thread.
    func with<Result>(_ body: (Stream) -> Result) -> Result {
        lock.lock()
        defer { lock.unlock() }
        stream.enter()
        return body(stream)
    }

    /// Locks out other threads until ``release()``, so that staged values stay until the kernels that read them are queued.
    func hold() { lock.lock() }
    /// Ends ``hold()``.
    func release() { lock.unlock() }

    /// Runs `body` and starts its commands, without those of other threads, as one graph.
    func recordAsGraph(_ body: () -> Void) {
        lock.lock()
        defer { lock.unlock() }
        let isOutermost = with { $0.startRecording() }
        body()
        if isOutermost { with { $0.finishRecording() } }
    }

    /// A block of memory, of zeros unless said otherwise.
    func storage<Element: BitwiseCopyable & Sendable>(
        _ count: Int, of type: Element.Type, zeroed: Bool = true
    ) -> Storage<Element> {
        let bytes = max(1, count) * MemoryLayout<Element>.stride
        let address = with { stream in
            let address = stream.allocate(bytes)
            if zeroed { stream.set(address, bytes: bytes) }
            return address
        }
        let pointer = UnsafeMutablePointer<Element>(bitPattern: UInt(address))!
        return Storage(pointer, count: count, in: .device) { _ in self.with { $0.release(address, bytes) } }
    }
}

/// Uninitialised memory for the duration of one operation.
struct Scratch: ~Copyable {
    let address: cu_address
    private let bytes: Int
    private let queue: DeviceQueue

    init(_ bytes: Int, on queue: DeviceQueue) {
        (self.bytes, self.queue) = (max(1, bytes), queue)
        address = queue.with { [bytes = max(1, bytes)] in $0.allocate(bytes) }
    }

    /// The memory as elements of a type.
    func pointer<Element>(_ type: Element.Type = Element.self) -> UnsafeMutablePointer<Element> {
        UnsafeMutablePointer(bitPattern: UInt(address))!
    }

    /// The first elements as a matrix, which must not outlive this memory.
    func tensor(rows: Int, columns: Int, stride: Int? = nil) -> Tensor {
        Tensor(pointer(), rows: rows, columns: columns, stride: stride, in: .device)
    }
    /// The first elements as indices, which must not outlive this memory.
    func indices(_ count: Int) -> Indices { Indices(pointer(), count: count, in: .device) }

    deinit { queue.with { $0.release(address, bytes) } }
}
