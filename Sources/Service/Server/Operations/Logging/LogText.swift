import Logging

/// A value as JSON: numbers and truth values as they are, all else as strings.
func json(_ value: Logger.MetadataValue) -> String {
    switch value {
    case .string(let text): quoted(text)
    case .stringConvertible(let value as any BinaryInteger): "\(value)"
    case .stringConvertible(let value as Double) where value.isFinite: "\(value)"
    case .stringConvertible(let value as Bool): "\(value)"
    case .stringConvertible(let value): quoted("\(value)")
    case .array(let values): "[" + values.map(json).joined(separator: ",") + "]"
    case .dictionary(let values):
        "{" + values.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(json($0.value))" }.joined(separator: ",")
            + "}"
    }
}

/// The text between quotes, as a JSON string without characters that a terminal obeys.
func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": result += "\\\(scalar)"
        case "\n": result += "\\n"
        case _ where isControl(scalar): result += scalar.utf16.map { "\\u" + hexadecimal($0) }.joined()
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

/// The text with spaces where characters would move a terminal's cursor.
func withoutControlCharacters(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? " " : $0 }))
}

/// Whether a text needs no quotes after `key=`.
func isPlain(_ text: String) -> Bool {
    !text.isEmpty && text.unicodeScalars.allSatisfy { !isControl($0) && !" \"=\\".unicodeScalars.contains($0) }
}

/// Control characters and what changes the direction of writing.
private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: return true
    default: return false
    }
}

private func hexadecimal(_ unit: UInt16) -> String {
    let digits = String(unit, radix: 16)
    return String(repeating: "0", count: 4 - digits.count) + digits
}
