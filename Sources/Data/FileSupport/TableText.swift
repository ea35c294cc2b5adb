/// Fields of this program's tab-separated files: tab, line feed, carriage return and backslash are written \t, \n, \r, \\.
public enum TableText {
    /// An escaped field, without tabs and line ends.
    public static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: isEscaped) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\t": result += "\\t"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\\": result += "\\\\"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Whether ``escaped(_:)`` would not change a field of these bytes.
    static func isItsOwnEscape(_ bytes: UnsafeRawBufferPointer) -> Bool { !bytes.contains(where: isEscaped) }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte == 0x5C || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    /// The inverse of ``escaped(_:)``; nil where a backslash is followed by another character.
    public static func unescaped(_ text: Substring) -> String? {
        guard text.utf8.contains(0x5C) else { return String(text) }
        var result = ""
        var scalars = text.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            guard scalar == "\\" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            switch scalars.next() {
            case "t": result += "\t"
            case "n": result += "\n"
            case "r": result += "\r"
            case "\\": result += "\\"
            default: return nil
            }
        }
        return result
    }
}

/// Whether bytes are UTF-8. O(count).
public func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
}
