public import CArrow
import Foundation

/// A table that another program gives, batch by batch, by the Arrow C stream interface.
///
/// The stream, its schema and its batches are released once each, whatever fails. Not for several threads at once.
public struct ArrowStream: ~Copyable {
    private let stream = Owned<ArrowArrayStream>()
    private var hasEnded = false
    /// The columns.
    public let fields: [ArrowField]

    /// Takes a stream over: `source` is left as one that is released.
    ///
    /// Throws where it is released already, fails, or gives no table. It is released then, too.
    public init(moving source: UnsafeMutablePointer<ArrowArrayStream>) throws(ArrowError) {
        guard source.pointee.release != nil else { throw .malformed("the stream is released already") }
        stream.pointer.pointee = source.pointee
        source.pointee.release = nil
        guard let getSchema = stream.pointer.pointee.get_schema, stream.pointer.pointee.get_next != nil else {
            throw .malformed("the stream lacks a callback")
        }
        let schema = Owned<ArrowSchema>()
        let code = getSchema(stream.pointer, schema.pointer)
        guard code == 0 else {
            schema.pointer.pointee.release = nil  // What a failed call leaves there means nothing.
            throw Self.failure(stream, code)
        }
        guard schema.pointer.pointee.release != nil else { throw .malformed("the stream gives no schema") }
        fields = try Self.fields(schema.pointer.pointee)
    }

    /// The next batch of rows, which may have none; nil after the last.
    ///
    /// Throws where the stream fails or gives a batch that does not fit its schema.
    public mutating func next() throws(ArrowError) -> ArrowBatch? {
        guard !hasEnded, let getNext = stream.pointer.pointee.get_next else { return nil }
        let array = Owned<ArrowArray>()
        let code = getNext(stream.pointer, array.pointer)
        guard code == 0 else {
            array.pointer.pointee.release = nil
            hasEnded = true
            throw Self.failure(stream, code)
        }
        guard array.pointer.pointee.release != nil else {
            hasEnded = true
            return nil
        }
        return try ArrowBatch(array, fields)
    }

    private static func failure(_ stream: Owned<ArrowArrayStream>, _ code: Int32) -> ArrowError {
        let text =
            stream.pointer.pointee.get_last_error.flatMap { $0(stream.pointer) }.map { String(cString: $0) } ?? ""
        // Some send all of a backtrace: it stays, on one line.
        let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        return .producer(lines.isEmpty ? String(cString: strerror(code)) : lines.joined(separator: " "))
    }

    private static func fields(_ schema: ArrowSchema) throws(ArrowError) -> [ArrowField] {
        guard let format = schema.format.map({ String(cString: $0) }) else {
            throw .malformed("the schema has no format")
        }
        guard format == "+s" else {
            throw .malformed("the stream is one of \(ArrowType(format: format)) values, not of tables")
        }
        guard (0...maximumColumns).contains(schema.n_children), schema.n_children == 0 || schema.children != nil else {
            throw .malformed("the schema has \(schema.n_children) columns")
        }
        var fields: [ArrowField] = []
        for i in 0..<Int(schema.n_children) {
            guard let child = schema.children[i]?.pointee, child.release != nil, let format = child.format else {
                throw .malformed("column \(i + 1) of the schema is missing")
            }
            fields.append(field(child, String(cString: format)))
        }
        return fields
    }

    private static let maximumColumns: Int64 = 1 << 20

    private static func field(_ schema: ArrowSchema, _ format: String) -> ArrowField {
        let type = ArrowType(format: format)
        let name = schema.name.map { String(cString: $0) } ?? ""
        guard let dictionary = schema.dictionary?.pointee else { return ArrowField(name: name, type: type) }
        guard case .integer(let indices) = type, let format = dictionary.format, dictionary.dictionary == nil else {
            return ArrowField(name: name, type: .other("a dictionary in a dictionary"))
        }
        let values = ArrowType(format: String(cString: format))
        // Any length of one needs no memory, and would be believed.
        return ArrowField(name: name, type: values == .null ? .other("dictionary of nulls") : values, indices: indices)
    }
}
