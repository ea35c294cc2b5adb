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
