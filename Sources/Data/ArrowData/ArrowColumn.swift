import CArrow

/// A value of a column. A text's bytes are valid as long as its column.
public enum ArrowValue {
    /// None.
    case null
    /// Of a column of bits.
    case boolean(Bool)
    /// A whole number of a type with a sign.
    case signed(Int64)
    /// A whole number of a type without.
    case unsigned(UInt64)
    /// A number of 32 bits.
    case float32(Float)
    /// A number of 64 bits.
    case float64(Double)
    /// Bytes that should be UTF-8.
    case text(UnsafeRawBufferPointer)
    /// A date or a time: a count since 1970, and how many nanoseconds the unit is.
    case time(Int64, unit: Int64)
}

/// A column of one batch.
///
/// What the interface lets one check is checked: counts, positions and lengths, but not how much memory lies behind a pointer. Where a
/// value is not as its type needs, reading it throws.
public final class ArrowColumn {
    /// Its name and type.
    public let field: ArrowField
    /// Number of values.
    public let count: Int
    /// The values that positions refer to; nil where the column holds the values themselves.
    public let dictionary: ArrowColumn?

    private let owner: AnyObject
    /// The first value's position in the buffers.
    private let start: Int
    private let validity: Bitmap?
    /// The same of the rows.
    private let rowValidity: Bitmap?
    private let values: UnsafeRawPointer?
    private let texts: Texts?

    /// The column of a batch, whose rows may begin anywhere in it.
    convenience init(_ field: ArrowField, _ array: ArrowArray, in batch: ArrowBatch) throws(ArrowError) {
        let rows = batch.array.pointer.pointee
        guard array.length >= rows.offset + rows.length else {
            throw .malformed(
                "the column \(field.name) has \(array.length) values for \(rows.offset + rows.length) rows")
        }
        try self.init(
            field, array, Int(rows.offset)..<Int(rows.offset + rows.length), owner: batch,
            rowValidity: Bitmap(rows.buffers[0], rows.null_count, from: Int(rows.offset)))
    }

    private init(
        _ field: ArrowField, _ array: ArrowArray, _ rows: Range<Int>, owner: AnyObject, rowValidity: Bitmap?
    ) throws(ArrowError) {
        func malformed(_ reason: String) -> ArrowError { .malformed("the column \(field.name) \(reason)") }
        guard array.release != nil, (0...ArrowBatch.longest).contains(array.length),
            (0...ArrowBatch.longest).contains(array.offset)
        else {
            throw malformed("has \(array.length) values from value \(array.offset) on, or is released")
        }
        let stored = field.indices.map(ArrowType.integer) ?? field.type
        guard stored.accepts(buffers: array.n_buffers), array.n_buffers == 0 || array.buffers != nil else {
            throw malformed("of type \(stored) has \(array.n_buffers) buffers")
        }
        (self.field, self.owner, self.rowValidity, count) = (field, owner, rowValidity, rows.count)
        start = Int(array.offset) + rows.lowerBound
        let first = array.n_buffers > 0 ? array.buffers[0] : nil
        guard array.null_count >= -1, array.null_count <= 0 || first != nil || stored == .null else {
            throw malformed("has \(array.null_count) nulls and does not say which")
        }
        validity = stored == .null ? nil : Bitmap(first, array.null_count, from: start)
        values = array.n_buffers > 1 ? array.buffers[1] : nil
        guard array.n_buffers < 2 || values != nil || rows.isEmpty else { throw malformed("has no buffer of values") }
        if case .text(let layout) = stored, !rows.isEmpty {
            guard let texts = Texts(layout, array) else { throw malformed("has no texts") }
            self.texts = texts
        } else {
            texts = nil
        }
        guard field.indices != nil else {
            dictionary = nil
            return
        }
        guard let words = array.dictionary?.pointee, (0...ArrowBatch.longest).contains(words.length) else {
            throw malformed("has no dictionary")
        }
        let values = ArrowField(name: field.name, type: field.type)
        dictionary = try ArrowColumn(values, words, 0..<Int(words.length), owner: owner, rowValidity: nil)
    }

    /// Whether a row, from 0, has no value.
    private func isNull(_ row: Int) -> Bool { rowValidity?[row] == false || validity?[row] == false }

    /// The value of a row, from 0, looked up in the dictionary where there is one. O(1).
    public func value(at row: Int) throws(ArrowError) -> ArrowValue {
        guard let dictionary else { return isNull(row) ? .null : try stored(field.type, row) }
        return try index(at: row).map { index throws(ArrowError) in try dictionary.value(at: index) } ?? .null
    }

    /// The position in the dictionary, which there must be; nil for a null. O(1).
    public func index(at row: Int) throws(ArrowError) -> Int? {
        guard let dictionary, let indices = field.indices, !isNull(row) else { return nil }
        let index: UInt64
        switch try stored(.integer(indices), row) {
        case .signed(let number): index = UInt64(bitPattern: number)  // A negative one is beyond any length.
        case .unsigned(let number): index = number
        default: return nil
        }
        guard index < dictionary.count else {
            throw .malformed(
                "the column \(field.name) has position \(index) in a dictionary of \(dictionary.count) values")
        }
        return Int(index)
    }

    /// The value in the buffers, which is no null.
    private func stored(_ type: ArrowType, _ row: Int) throws(ArrowError) -> ArrowValue {
        switch type {
        case .null: return .null
        case .boolean: return .boolean(Bitmap(bytes: values!, start: start)[row])
        case .integer(let type): return integer(type, row)
        case .float32: return .float32(load(row))
        case .float64: return .float64(load(row))
        case .text:
            guard let text = texts?[start + row] else {
                throw .malformed("the column \(field.name) has a text outside of its bytes")
            }
            return .text(text)
        case .timestamp(let unit, _): return .time(load(row), unit: unit.nanoseconds)
        case .date32: return .time(Int64(load(row) as Int32), unit: 86_400_000_000_000)
        case .date64: return .time(load(row), unit: ArrowType.TimeUnit.milliseconds.nanoseconds)
        case .other(let name): throw .malformed("the column \(field.name) is of type \(name), which cannot be read")
        }
    }

    private func integer(_ type: ArrowType.IntegerType, _ row: Int) -> ArrowValue {
        switch type {
        case .int8: .signed(Int64(load(row) as Int8))
        case .int16: .signed(Int64(load(row) as Int16))
        case .int32: .signed(Int64(load(row) as Int32))
        case .int64: .signed(load(row))
        case .uint8: .unsigned(UInt64(load(row) as UInt8))
        case .uint16: .unsigned(UInt64(load(row) as UInt16))
        case .uint32: .unsigned(UInt64(load(row) as UInt32))
        case .uint64: .unsigned(load(row))
        }
    }

    /// Buffers need not be aligned.
    private func load<Number: BitwiseCopyable>(_ row: Int) -> Number {
        values!.loadUnaligned(fromByteOffset: (start + row) * MemoryLayout<Number>.stride, as: Number.self)
    }
}

extension ArrowType {
    /// Whether an array of this type has so many buffers.
    fileprivate func accepts(buffers: Int64) -> Bool {
        switch self {
        case .null: buffers == 0
        case .text(.views): (3...1 << 20).contains(buffers)
        case .text: buffers == 3
        case .boolean, .integer, .float32, .float64, .timestamp, .date32, .date64: buffers == 2
        case .other: buffers >= 0
        }
    }
}
