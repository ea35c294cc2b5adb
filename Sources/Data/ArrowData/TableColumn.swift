/// The type of a column of a table that is given to another program.
public enum TableColumnType: Hashable, Sendable {
    /// Text in UTF-8, or none.
    case text
    /// Whole numbers.
    case int32, int64
    /// Numbers of 32 bits.
    case float32
    /// Vectors of so many numbers of 32 bits each, at least one.
    case vector(width: Int)
    /// Microseconds since 1970, UTC.
    case timestamp

    /// The format string of the C data interface.
    var format: String {
        switch self {
        case .text: "u"
        case .int32: "i"
        case .int64: "l"
        case .float32: "f"
        case .vector(let width): "+w:\(width)"
        case .timestamp: "tsu:UTC"
        }
    }
}

/// Values of a column.
public enum TableColumn: Sendable {
    /// Texts, nil where there is none.
    case text([String?])
    /// Whole numbers.
    case int32([Int32])
    /// Whole numbers.
    case int64([Int64])
    /// Numbers.
    case float32([Float])
    /// Vectors of `width` numbers, one behind the other.
    case vectors(width: Int, [Float])
    /// Microseconds since 1970, UTC.
    case timestamps([Int64])

    /// What it holds.
    public var type: TableColumnType {
        switch self {
        case .text: .text
        case .int32: .int32
        case .int64: .int64
        case .float32: .float32
        case .vectors(let width, _): .vector(width: width)
        case .timestamps: .timestamp
        }
    }

    /// Number of rows; nil where vectors are not whole.
    var count: Int? {
        switch self {
        case .text(let values): values.count
        case .int32(let values): values.count
        case .int64(let values), .timestamps(let values): values.count
        case .float32(let values): values.count
        case .vectors(let width, let values): width > 0 && values.count % width == 0 ? values.count / width : nil
        }
    }
}

/// Some rows of a table: its columns in order, equally long.
public struct TableBatch: Sendable {
    /// The columns.
    public var columns: [TableColumn]

    /// Rows of these columns.
    public init(_ columns: [TableColumn]) { self.columns = columns }

    /// Number of rows; nil where they are no rows of a table with columns of these types.
    func count(_ types: [TableColumnType]) -> Int? {
        guard columns.map(\.type) == types else { return nil }
        let count = columns.first?.count ?? 0
        return columns.allSatisfy { $0.count == count } ? count : nil
    }

    /// Whether offsets of 32 bits are enough for the texts of some rows.
    func hasOffsets(for rows: Range<Int>) -> Bool {
        columns.allSatisfy { column in
            guard case .text(let values) = column else { return true }
            return values[rows].reduce(0) { $0 + ($1?.utf8.count ?? 0) } <= Int(Int32.max)
        }
    }
}
