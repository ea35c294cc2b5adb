import FileSupport
import Foundation
package import Identifiers

/// An event as a log says it.
package struct LoggedEvent {
    /// Who.
    package var user: RawID
    /// What.
    package var item: RawID
    /// When, in nanoseconds since 1970; nil where the log has no times.
    package var nanoseconds: Int64?
    /// The type; nil where no column of types was asked for.
    package var type: String?
    /// The identifier of the event; nil where it has none, or no column of them was asked for.
    package var eventID: RawID?
}

/// Fields of an event that are kept as they are.
struct KeptFields {
    var type: Bytes?
    var eventID: Bytes?
}

/// Fields in the order in which they came, in bounded memory: the newest are in a buffer, the others in a temporary file.
struct KeptSpool: ~Copyable, Sendable {
    private let folder: URL
    private let limit: Int
    /// Each as its length plus one in four bytes, zero where there is none, and its bytes.
    private var newest: [UInt8] = []
    private var file: TemporaryFile?
    /// How many bytes are in the file.
    private var stored = 0

    /// - Parameters:
    ///   - folder: where the temporary file is created, if one is needed.
    ///   - limit: the most bytes of the buffer.
    init(in folder: URL, limit: Int) { (self.folder, self.limit) = (folder, limit) }

    /// Adds a field.
    mutating func append(_ field: Bytes?) {
        withUnsafeBytes(of: UInt32(field.map { $0.count + 1 } ?? 0)) { newest.append(contentsOf: $0) }
        if let field { newest.append(contentsOf: field) }
    }

    /// Moves the buffer to the file if it is full. To be called after every line.
    mutating func spill() throws(FileError) {
        guard newest.count >= limit else { return }
        if file == nil { file = try TemporaryFile(in: folder) }
        try newest.withUnsafeBufferPointer { (bytes) throws(FileError) in
            try file!.append(UnsafeRawBufferPointer(bytes))
        }
        stored += newest.count
        newest.removeAll(keepingCapacity: true)
    }

    /// Reads the fields of a spool from the first on.
    struct Reader {
        private static let piece = 1 << 16
        private var bytes: [UInt8] = []
        /// Where the next field begins in `bytes`.
        private var start = 0
        /// How many bytes of the file have been read.
        private var offset = 0

        /// Adds to an event what is kept of it.
        mutating func readFields(of event: inout LoggedEvent, _ spool: borrowing KeptSpool) throws(FileError) {
            event.type = try next(spool)
            event.eventID = try next(spool).map { RawID($0) }
        }

        /// The next field, which must exist; nil where it is none.
        private mutating func next(_ spool: borrowing KeptSpool) throws(FileError) -> String? {
            try fill(4, spool)
            let size = Int(bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: start, as: UInt32.self) })
            start += 4
            guard size > 0 else { return nil }
            try fill(size - 1, spool)
            defer { start += size - 1 }
            return String(decoding: bytes[start..<start + size - 1], as: UTF8.self)
        }

        /// Makes sure that so many bytes are there from `start` on.
        private mutating func fill(_ count: Int, _ spool: borrowing KeptSpool) throws(FileError) {
            while bytes.count - start < count {
                bytes.removeFirst(start)
                start = 0
                guard offset < spool.stored else {
                    bytes.append(contentsOf: spool.newest)
                    return
                }
                var part = [UInt8](repeating: 0, count: min(Self.piece, spool.stored - offset))
                try part.withUnsafeMutableBufferPointer { (part) throws(FileError) in
                    try spool.file!.read(into: UnsafeMutableRawBufferPointer(part), at: offset)
                }
                offset += part.count
                bytes.append(contentsOf: part)
            }
        }
    }
}
