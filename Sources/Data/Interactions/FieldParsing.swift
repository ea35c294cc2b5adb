/// A buffer for unquoted text: it has capacity for one line and does not move until the next.
final class Scratch {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 1)
    private(set) var used = 0

    deinit { memory.deallocate() }

    /// Empties the buffer and makes its capacity at least `count` bytes.
    func reserve(_ count: Int) {
        used = 0
        guard count > memory.count else { return }
        memory.deallocate()
        memory = .allocate(byteCount: count, alignment: 1)
    }

    func append(_ byte: UInt8) {
        memory[used] = byte
        used += 1
    }

    func append(_ bytes: Bytes) {
        UnsafeMutableRawBufferPointer(rebasing: memory[used...]).copyMemory(from: bytes)
        used += bytes.count
    }

    func bytes(from first: Int) -> Bytes { Bytes(rebasing: UnsafeRawBufferPointer(memory)[first..<used]) }
}

/// Parses a number: digits with sign, fraction and exponent. Nil if the bytes are anything else or the number is not finite.
func parseNumber(_ bytes: Bytes) -> Double? {
    guard !bytes.isEmpty, bytes.count <= 64 else { return nil }
    guard bytes.count <= 16 else { return parseGeneralNumber(bytes) }
    // Up to 15 digits and a power of ten up to 15 are exact, so that their quotient is correctly rounded.
    var value = 0
    var scale = 0
    for byte in bytes {
        if byte >= 0x30, byte <= 0x39 {
            value = value * 10 + Int(byte - 0x30)
            scale *= 10
        } else if byte == 0x2E, scale == 0, bytes.count > 1 {
            scale = 1
        } else {
            return parseGeneralNumber(bytes)
        }
    }
    guard scale > 0 else { return Double(value) }
    return Double(value) / Double(scale)
}

private func parseGeneralNumber(_ bytes: Bytes) -> Double? {
    let allowed = bytes.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x2B, 0x2D, 0x2E, 0x45, 0x65: true
        default: false
        }
    }
    guard allowed, let value = Double(String(decoding: bytes, as: UTF8.self)), value.isFinite else { return nil }
    return value
}
