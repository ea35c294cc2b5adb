/// The type of a column: of those that hold one plain value a row, and the name of any other.
public enum ArrowType: Hashable, Sendable {
    /// Nothing but nulls.
    case null
    /// One bit a row.
    case boolean
    /// Whole numbers.
    case integer(IntegerType)
    /// IEEE 754 numbers of 32 bits.
    case float32
    /// IEEE 754 numbers of 64 bits.
    case float64
    /// Text in UTF-8.
    case text(TextLayout)
    /// Counts since 1970-01-01, of UTC where there is a time zone and of a clock on some wall where there is none.
    case timestamp(TimeUnit, hasZone: Bool)
    /// Days since 1970-01-01 in 32 bits.
    case date32
    /// Days since 1970-01-01 as milliseconds in 64 bits.
    case date64
    /// A type whose values cannot be read here: what it is called.
    case other(String)

    /// Whole numbers by their width and sign.
    public enum IntegerType: Character, Hashable, Sendable {
        /// With sign.
        case int8 = "c", int16 = "s", int32 = "i", int64 = "l"
        /// Without.
        case uint8 = "C", uint16 = "S", uint32 = "I", uint64 = "L"
    }

    /// How texts lie in memory.
    public enum TextLayout: Hashable, Sendable {
        /// One block of bytes, and where each text begins in 32 bits.
        case offsets32
        /// The same in 64 bits.
        case offsets64
        /// Sixteen bytes a text, which hold it if it is short and say where it lies if it is not.
        case views
    }

    /// What a timestamp counts.
    public enum TimeUnit: Character, Hashable, Sendable {
        /// From coarse to fine.
        case seconds = "s", milliseconds = "m", microseconds = "u", nanoseconds = "n"

        /// How many nanoseconds one is.
        public var nanoseconds: Int64 {
            switch self {
            case .seconds: 1_000_000_000
            case .milliseconds: 1_000_000
            case .microseconds: 1_000
            case .nanoseconds: 1
            }
        }
    }

    /// The type that a format string of the C data interface describes.
    init(format: String) {
        switch format {
        case "n": self = .null
        case "b": self = .boolean
        case "f": self = .float32
        case "g": self = .float64
        case "u": self = .text(.offsets32)
        case "U": self = .text(.offsets64)
        case "vu": self = .text(.views)
        case "tdD": self = .date32
        case "tdm": self = .date64
        default:
            let letters = Array(format)
            if letters.count == 1, let integer = IntegerType(rawValue: letters[0]) {
                self = .integer(integer)
            } else if letters.count >= 4, format.hasPrefix("ts"), letters[3] == ":",
                let unit = TimeUnit(rawValue: letters[2])
            {
                self = .timestamp(unit, hasZone: letters.count > 4)
            } else {
                self = .other(
                    Self.others.first { format.hasPrefix($0.prefix) }?.name ?? "unknown ('\(format.prefix(40))')")
            }
        }
    }

    private static let others: [(prefix: String, name: String)] = [
        ("e", "float16"), ("z", "binary"), ("Z", "large binary"), ("vz", "binary view"), ("w:", "fixed-size binary"),
        ("d:", "decimal"), ("tt", "time of day"), ("tD", "duration"), ("ti", "interval"), ("+l", "list"),
        ("+L", "large list"),
        ("+vl", "list view"), ("+vL", "large list view"), ("+w:", "fixed-size list"), ("+s", "struct"), ("+m", "map"),
        ("+u", "union"), ("+r", "run-end encoded"),
    ]
}

extension ArrowType: CustomStringConvertible {
    /// The usual name: `int64`, `timestamp`.
    public var description: String {
        switch self {
        case .null: "null"
        case .boolean: "bool"
        case .integer(let integer): "\(integer)"
        case .float32: "float32"
        case .float64: "float64"
        case .text: "text"
        case .timestamp: "timestamp"
        case .date32, .date64: "date"
        case .other(let name): name
        }
    }
}

extension ArrowType.IntegerType {
    /// Bytes of one number.
    var width: Int {
        switch self {
        case .int8, .uint8: 1
        case .int16, .uint16: 2
        case .int32, .uint32: 4
        case .int64, .uint64: 8
        }
    }
}

/// A column of a table: its name and its type.
public struct ArrowField: Hashable, Sendable {
    /// The name; empty where it has none.
    public var name: String
    /// The type of its values.
    public var type: ArrowType
    /// Where the column holds positions in a dictionary of values, the type of these positions.
    public var indices: ArrowType.IntegerType?

    /// A column that has a value in each row.
    public init(name: String, type: ArrowType, indices: ArrowType.IntegerType? = nil) {
        (self.name, self.type, self.indices) = (name, type, indices)
    }
}
