/// Fields of our own tab-separated files: tab, line feed, carriage return and backslash are written \t, \n, \r, \\.
public enum TableText {
    /// A field that holds no tab and no line end.
    public static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x09 || $0 == 0x0A || $0 == 0x0D || $0 == 0x5C }) else { return text }
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

    /// What ``escaped(_:)`` was given; nil where a backslash is followed by anything else.
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
