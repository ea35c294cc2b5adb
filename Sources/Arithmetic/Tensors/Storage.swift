/// Which memory an address belongs to.
package enum MemorySpace: Sendable {
    /// The memory of this process.
    case host
    /// The memory of a device, which this process cannot read.
    case device
}

/// One block of a backend's memory. It is freed with its last reference; its tensors and indices hold references.
package final class Storage<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    /// Address of the first element, aligned to 64 bytes, in `space`.
    package let pointer: UnsafeMutablePointer<Element>
    /// Number of elements.
    package let count: Int
    /// The memory that ``pointer`` points into.
    package let space: MemorySpace
    private let free: @Sendable (UnsafeMutableRawPointer) -> Void

    /// Takes ownership of `count` elements at `pointer`; `free` is called once, when the storage is released.
    package init(
        _ pointer: UnsafeMutablePointer<Element>, count: Int, in space: MemorySpace,
        free: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
    ) {
        self.pointer = pointer
        self.count = count
        self.space = space
        self.free = free
    }

    deinit { free(UnsafeMutableRawPointer(pointer)) }

    /// The address in this process's memory. Traps where the memory is a device's.
    package var base: UnsafeMutablePointer<Element> {
        precondition(space == .host, "memory of a device cannot be read here: download it")
        return pointer
    }
}

extension Storage where Element == Float {
    /// The block as one row of `count` columns.
    package var tensor: Tensor { tensor(rows: 1, columns: count) }

    /// Rows of `columns` elements, the first at `offset`.
    package func tensor(at offset: Int = 0, rows: Int, columns: Int, stride: Int? = nil) -> Tensor {
        let stride = stride ?? columns
        precondition(
            offset >= 0 && (rows == 0 || offset + (rows - 1) * stride + columns <= count),
            "a tensor lies in its storage")
        return Tensor(
            pointer + offset, rows: rows, columns: columns, stride: stride, in: space, owner: self)
    }
}

extension Storage where Element == Int32 {
    /// The whole block.
    package var indices: Indices { Indices(pointer, count: count, in: space, owner: self) }
}

/// A running sum of losses: one number in a backend's memory.
package typealias LossSum = Storage<Double>

/// Host memory on a 64-byte boundary, zeroed where `zeroed`, for backends that compute on the CPU.
package func allocateHost<Element: BitwiseCopyable & Sendable>(
    _ count: Int, of type: Element.Type, zeroed: Bool = true
) -> Storage<Element> {
    let bytes = max(1, count) * MemoryLayout<Element>.stride
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    if zeroed { raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes) }
    let pointer = raw.bindMemory(to: Element.self, capacity: max(1, count))
    HostMemory.add(bytes)
    return Storage(pointer, count: count, in: .host) {
        $0.deallocate()
        HostMemory.subtract(bytes)
    }
}

/// The smallest power of two that is at least `count`, and 1 at least.
package func powerOfTwo(atLeast count: Int) -> Int {
    count <= 1 ? 1 : 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
}
