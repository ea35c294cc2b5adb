/// A buffer for unquoted text: it has capacity for one line and does not move until the next.
package final class Scratch {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 1)
    /// How many bytes are in it.
    package private(set) var used = 0

    package init() {}

    deinit { memory.deallocate() }

    /// Empties the buffer and makes its capacity at least `count` bytes.
    package func reserve(_ count: Int) {
        used = 0
        guard count > memory.count else { return }
        memory.deallocate()
        memory = .allocate(byteCount: count, alignment: 1)
    }

    /// Adds bytes, for which there must be capacity.
    package func append(_ bytes: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: memory[used...]).copyMemory(from: bytes)
        used += bytes.count
    }

    /// Adds a character in UTF-8, for which there must be capacity.
    package func append(_ character: Unicode.Scalar) {
        for unit in UTF8.encode(character) ?? UTF8.encodedReplacementCharacter {
            memory[used] = unit
            used += 1
        }
    }

    /// The bytes that were added when `first` were in it already. Valid until ``reserve(_:)``.
    package func bytes(from first: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[first..<used])
    }
}
