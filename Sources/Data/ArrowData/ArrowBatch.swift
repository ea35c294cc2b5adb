import CArrow

/// Some rows of a table. It is released when it and all of its columns are gone.
public final class ArrowBatch {
    /// Larger lengths and offsets are no numbers of rows.
    static let longest: Int64 = 1 << 48

    let array: Owned<ArrowArray>
    private let fields: [ArrowField]
    /// Number of rows.
    public let count: Int

    /// Throws where the array is no struct with these columns.
    init(_ array: Owned<ArrowArray>, _ fields: [ArrowField]) throws(ArrowError) {
        let raw = array.pointer.pointee
        guard (0...Self.longest).contains(raw.length), (0...Self.longest).contains(raw.offset) else {
            throw .malformed("a batch has \(raw.length) rows from row \(raw.offset) on")
        }
        guard raw.n_children == fields.count, raw.n_children == 0 || raw.children != nil else {
            throw .malformed("a batch has \(raw.n_children) columns, the schema \(fields.count)")
        }
        guard raw.n_buffers == 1, raw.buffers != nil else {
            throw .malformed("a batch has \(raw.n_buffers) buffers, not 1")
        }
        guard raw.null_count >= -1, raw.null_count <= 0 || raw.buffers[0] != nil else {
            throw .malformed("a batch has \(raw.null_count) nulls and does not say which")
        }
        (self.array, self.fields, count) = (array, fields, Int(raw.length))
    }

    /// The column at a position, from 0. Throws where it has not what its type needs.
    public func column(_ position: Int) throws(ArrowError) -> ArrowColumn {
        guard let child = array.pointer.pointee.children[position] else {
            throw .malformed("column \(position + 1) of a batch is missing")
        }
        return try ArrowColumn(fields[position], child.pointee, in: self)
    }
}
