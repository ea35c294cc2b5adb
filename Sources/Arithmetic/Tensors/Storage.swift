/// One block of a backend's memory: it is freed when the last reference goes.
///
/// The address may belong to another device than the CPU. Only the backend that allocated a block may look at what it
/// holds; everything else goes through ``Backend/upload(_:to:)`` and ``Backend/download(_:)``.
package final class Storage<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    /// Address of the first element, aligned to 64 bytes.
    package let base: UnsafeMutablePointer<Element>
    /// Number of elements.
    package let count: Int
    private let free: @Sendable (UnsafeMutableRawPointer) -> Void

    /// Takes ownership of `count` elements at `base`; `free` is called once, when the storage dies.
    package init(
        base: UnsafeMutablePointer<Element>, count: Int, free: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
    ) {
        self.base = base
        self.count = count
        self.free = free
    }

    deinit { free(UnsafeMutableRawPointer(base)) }
}

extension Storage where Element == Float {
    /// The block as one row of `count` columns.
    package var tensor: Tensor { Tensor(base: base, rows: 1, columns: count) }
}

extension Storage where Element == Int32 {
    /// The whole block.
    package var indices: Indices { Indices(base: base, count: count) }
}

/// A running sum of losses: one number in a backend's memory.
package typealias LossSum = Storage<Double>

/// Host memory on a 64-byte boundary, zeroed unless told otherwise, for backends that compute on the CPU.
package func allocateHost<Element: BitwiseCopyable & Sendable>(
    _ count: Int, of type: Element.Type, zeroed: Bool = true
) -> Storage<Element> {
    let bytes = max(1, count) * MemoryLayout<Element>.stride
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    if zeroed { raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes) }
    let base = raw.bindMemory(to: Element.self, capacity: max(1, count))
    HostMemory.took(bytes)
    return Storage(base: base, count: count) {
        $0.deallocate()
        HostMemory.gaveBack(bytes)
    }
}
