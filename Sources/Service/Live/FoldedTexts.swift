import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Texts to be searched, upper and lower case and accents alike, as bytes: one block, so that a search is one pass over it.
struct FoldedTexts: Sendable {
    private var bytes: [UInt8] = []
    /// Where each text begins, and where the last one ends.
    private var starts = [0]

    /// The texts of rows 0 …; nil where a row has none. They have no control characters.
    init(_ texts: some Sequence<String?>) {
        for text in texts {
            if let text { bytes += Self.folded(text) }
            bytes.append(0)
            starts.append(bytes.count)
        }
    }

    /// The bytes of a text without case and accents.
    static func folded(_ text: String) -> [UInt8] {
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            return text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        }
        return Array(text.folding(options: [.caseInsensitive, .diacriticInsensitive], locale: nil).utf8)
    }

    /// Whether folded bytes occur in a text.
    static func contains(_ part: [UInt8], in text: String?) -> Bool {
        guard let text else { return false }
        return folded(text).withUnsafeBytes { find(part, in: $0) != nil }
    }

    /// Calls `body` with each row whose text contains folded bytes, in order. O(length of all texts).
    func forEachRow(containing part: [UInt8], _ body: (Int) -> Void) {
        bytes.withUnsafeBytes { all in
            var row = 0
            while let place = Self.find(part, in: UnsafeRawBufferPointer(rebasing: all[starts[row]...])) {
                let found = starts[row] + place
                while starts[row + 1] <= found { row += 1 }
                body(row)
                row += 1
            }
        }
    }

    /// Where folded bytes first occur. Their last byte is looked for, which says more than the first where letters take several bytes.
    private static func find(_ part: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let last = part.last, !part.contains(0), let base = bytes.baseAddress else { return nil }
        var end = part.count - 1
        while end < bytes.count, let hit = memchr(base + end, Int32(last), bytes.count - end) {
            end = UnsafeRawPointer(hit) - base
            let start = end + 1 - part.count
            if memcmp(base + start, part, part.count) == 0 { return start }
            end += 1
        }
        return nil
    }
}
