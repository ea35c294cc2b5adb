import Foundation

/// The bytes of a text's composed form (NFC) where it is not in that form already; nil where it is. O(length).
package func composed(_ text: String) -> [UInt8]? {
    if text.unicodeScalars.allSatisfy(isSurelyComposed) { return nil }
    let composed = text.precomposedStringWithCanonicalMapping
    return composed.utf8.elementsEqual(text.utf8) ? nil : Array(composed.utf8)
}

/// Characters that NFC never changes, in any context: most of those in use.
private func isSurelyComposed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x300, 0x400...0x482, 0x3041...0x3098, 0x30A0...0x30FF, 0x4E00...0x9FFF, 0xAC00...0xD7A3,
        0x1F300...0x1FAFF:
        true
    default: false
    }
}
