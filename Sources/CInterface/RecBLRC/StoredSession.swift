import ErrorSupport
import FileSupport
import Identifiers
import Serving

/// A session as bytes, little-endian: "RBLRSESS", the format's number (UInt32), the model's fingerprint (16 digits), the numbers of floats
/// of state and hidden vector, of items and of times (UInt32 each), these, and the checksum of everything before it (8 digits).
enum StoredSession {
    private static let mark = Array("RBLRSESS".utf8)
    private static let format: UInt32 = 1
    private static let headSize = mark.count + 4 + 16 + 4 * 4
    private static let checksumSize = 8

    static func bytes(_ session: Session, _ model: Model) -> [UInt8] {
        let (state, hidden) = session.stored
        var bytes = mark
        append(format, to: &bytes)
        bytes += model.fingerprint.utf8
        for count in [state.count, hidden.count, session.items.count, session.times.count] {
            append(UInt32(count), to: &bytes)
        }
        for value in state + hidden { append(value.bitPattern, to: &bytes) }
        for item in session.items { append(item.rawValue, to: &bytes) }
        for time in session.times { append(time, to: &bytes) }
        return bytes + bytes.withUnsafeBytes(checksum)
    }

    /// Throws where the bytes are damaged, or those of another model's session.
    static func session(_ bytes: UnsafeRawBufferPointer, _ model: Model) throws(CallError) -> Session {
        guard bytes.count >= headSize + checksumSize, bytes.prefix(mark.count).elementsEqual(mark) else {
            throw CallError(.badData, "these bytes are no session of recblr")
        }
        var reader = Reader(bytes: bytes, position: mark.count)
        let format: UInt32 = reader.next()
        guard format == Self.format else {
            throw CallError(.badData, "a session of format \(format), but this version reads \(Self.format)")
        }
        let fingerprint = String(decoding: bytes[reader.position..<reader.position + 16], as: UTF8.self)
        reader.position += 16
        let counts = (0..<4).map { _ in Int(reader.next() as UInt32) }
        let size = headSize + 4 * (counts[0] + counts[1] + counts[2]) + 8 * counts[3]
        guard bytes.count == size + checksumSize,
            bytes[size...].elementsEqual(checksum(UnsafeRawBufferPointer(rebasing: bytes[..<size])))
        else { throw CallError(.badData, "the session is damaged: its checksum does not fit") }
        guard fingerprint == model.fingerprint else {
            throw CallError(
                .badData, "the session belongs to another model (\(fingerprint); this one is \(model.fingerprint))")
        }
        let state = (0..<counts[0]).map { _ in Float(bitPattern: reader.next()) }
        let hidden = (0..<counts[1]).map { _ in Float(bitPattern: reader.next()) }
        let items = (0..<counts[2]).map { _ in ItemID(rawValue: reader.next()) }
        let times = (0..<counts[3]).map { _ in reader.next() as Int64 }
        guard let session = Session(state: state, hidden: hidden, items: items, times: times, of: model.catalogue.model)
        else { throw CallError(.badData, "the session does not fit its model") }
        return session
    }

    private static func checksum(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var checksum = Checksum()
        checksum.add(bytes)
        return Array(checksum.text.utf8)
    }

    private struct Reader {
        let bytes: UnsafeRawBufferPointer
        var position: Int

        mutating func next<Value: FixedWidthInteger>() -> Value {
            defer { position += MemoryLayout<Value>.size }
            return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Value.self))
        }
    }

    private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }
}
