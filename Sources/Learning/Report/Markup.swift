/// A piece of HTML or SVG, safe by construction: literals are markup, and what is interpolated is escaped unless it is
/// markup itself.
///
/// Example: with a `title` of `<b>`, the markup `"<td>\(title)</td>"` is `<td>&lt;b&gt;</td>`.
public struct Markup: Sendable, Equatable, ExpressibleByStringInterpolation {
    /// The characters.
    public let text: String

    /// A literal, which is not escaped.
    public init(stringLiteral value: String) { text = value }

    /// Markup with escaped text in it.
    public init(stringInterpolation interpolation: StringInterpolation) { text = interpolation.text }

    /// Escapes text, leaves markup.
    public struct StringInterpolation: StringInterpolationProtocol {
        var text = ""

        /// Begins with nothing.
        public init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

        /// A literal, which is not escaped.
        public mutating func appendLiteral(_ literal: String) { text += literal }
        /// Text, escaped.
        public mutating func appendInterpolation(_ value: String) { text += escaped(value) }
        /// A whole number.
        public mutating func appendInterpolation(_ value: Int) { text += String(value) }
        /// A coordinate, to a tenth.
        public mutating func appendInterpolation(_ value: Double) { text += fixed(value, 1) }
        /// Markup.
        public mutating func appendInterpolation(_ value: Markup) { text += value.text }
        /// One after the other, a line each.
        public mutating func appendInterpolation(_ values: [Markup]) {
            text += values.map(\.text).joined(separator: "\n")
        }
    }
}

/// Text for elements and attributes, quoted either way. Characters that XML forbids become U+FFFD.
func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        case "'": result += "&#39;"
        case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
        case "\u{0}"..<" ", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}
