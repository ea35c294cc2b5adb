import Crypto
import Events
import Foundation
import Identifiers
import Live
import NIOCore

/// Keys that seal state tokens. Tokens of the previous key are still accepted.
struct TokenKeys: Sendable {
    /// Bytes of a key.
    static let bytes = 32

    fileprivate let current: SymmetricKey
    fileprivate let previous: SymmetricKey?

    /// Keys of ``bytes`` bytes each.
    init(current: [UInt8], previous: [UInt8]? = nil) {
        precondition(current.count == Self.bytes && previous?.count ?? Self.bytes == Self.bytes, "keys of 32 bytes")
        self.current = SymmetricKey(data: current)
        self.previous = previous.map { SymmetricKey(data: $0) }
    }

    /// A key that nobody else has: tokens end with the process.
    static func random() -> TokenKeys {
        TokenKeys(current: SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) })
    }

    fileprivate func key(_ id: [UInt8]) -> SymmetricKey? {
        [current, previous].compactMap(\.self).first { Self.id($0) == id }
    }

    /// A name of a key that says nothing about it.
    fileprivate static func id(_ key: SymmetricKey) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array("recblr token key".utf8), using: key).prefix(4))
    }
}

/// A session as its client keeps it: sealed by AES-GCM, so that it can be neither read nor changed.
///
/// A format number and the key's name, in the clear, then sealed: when it expires, the model, the state, and the events, the last one first,
/// each with the time before the one after it.
enum StateToken {
    /// The longest token, in characters.
    static let maximumLength = 20_000
    /// How long a token is accepted, in seconds: a week.
    static let lifetime: Int64 = 7 * 86_400

    private static let format: UInt8 = 1
    private static let headerBytes = 5
    private static let contentBytes = maximumLength / 4 * 3 - headerBytes - 12 - 16  // nonce and tag

    /// The token of a session, and how many of its events it holds: the latest, as far as there is room. A state that needs most of the room is left
    /// out; it is computed again then.
    static func seal(_ session: SessionState, _ keys: TokenKeys, now: Timestamp) -> (token: String, eventCount: Int) {
        var content = ByteBufferAllocator().buffer(capacity: contentBytes)
        let state = session.state.count * 4 > contentBytes / 2 ? [] : session.state
        content.writeVariable(now.adding(seconds: lifetime).microseconds / 1_000_000)
        content.writeText(session.modelIdentity)
        content.writeVariable(Int64(session.eventCount))
        content.writeVariable(Int64(state.count))
        for value in state { content.writeInteger(value.bitPattern, endianness: .little) }
        let kept = write(session.events, to: &content)
        let header = [format] + TokenKeys.id(keys.current)
        // Sealing fails for no input; a nonce of the default size makes the parts of one piece.
        let box = try! AES.GCM.seal(content.readableBytesView, using: keys.current, authenticating: header)
        return ((Data(header) + box.combined!).base64URL, kept)
    }

    /// The session of a token. Throws where it is not one of ours, or expired.
    static func open(_ token: String, _ keys: TokenKeys, now: Timestamp) throws(Problem) -> SessionState {
        let notOurs = Problem(field: "token", "is not a token of this server, or its key is gone")
        guard token.utf8.count <= maximumLength, let bytes = Data(base64URL: token), bytes.count > headerBytes,
            bytes[0] == format, let key = keys.key(Array(bytes[1..<headerBytes])),
            let box = try? AES.GCM.SealedBox(combined: bytes.dropFirst(headerBytes)),
            let content = try? AES.GCM.open(box, using: key, authenticating: bytes.prefix(headerBytes))
        else { throw notOurs }
        guard let (expiry, session) = session(ByteBuffer(bytes: content)) else { throw notOurs }
        guard now.microseconds / 1_000_000 < expiry else { throw Problem(field: "token", "has expired") }
        return session
    }

    /// Writes as many of the last events as there is room for; returns how many.
    private static func write(_ events: [SessionState.Event], to content: inout ByteBuffer) -> Int {
        var (kept, time): (Int, Int64) = (0, 0)
        for event in events.suffix(SessionState.maximumEvents).reversed() {
            let before = content.writerIndex
            content.writeVariable(event.time.microseconds &- time)
            content.writeText(event.item.text)
            guard content.readableBytes <= contentBytes else {
                content.moveWriterIndex(to: before)
                break
            }
            (kept, time) = (kept + 1, event.time.microseconds)
        }
        return kept
    }

    private static func session(_ bytes: ByteBuffer) -> (expiry: Int64, SessionState)? {
        var content = bytes
        guard let expiry = content.readVariable(), let model = content.readText(),
            let eventCount = content.readVariable(), let stateCount = content.readVariable(),
            (0...Int64(contentBytes)).contains(stateCount)
        else { return nil }
        var session = SessionState(modelIdentity: model, state: [], events: [], eventCount: Int(eventCount))
        for _ in 0..<stateCount {
            guard let pattern = content.readInteger(endianness: .little, as: UInt32.self) else { return nil }
            session.state.append(Float(bitPattern: pattern))
        }
        var time: Int64 = 0
        while content.readableBytes > 0 {
            guard let difference = content.readVariable(), let item = content.readText() else { return nil }
            time &+= difference
            session.events.append(SessionState.Event(item: RawID(item), time: Timestamp(microseconds: time)))
        }
        session.events.reverse()
        return (expiry, session)
    }
}

extension ByteBuffer {
    /// Writes an integer in as few bytes as it needs: seven bits each, small magnitudes first (zigzag).
    fileprivate mutating func writeVariable(_ value: Int64) {
        var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
        while rest >= 0x80 {
            writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        writeInteger(UInt8(rest))
    }

    fileprivate mutating func readVariable() -> Int64? {
        var (value, shift): (UInt64, UInt64) = (0, 0)
        while shift < 64, let byte = readInteger(as: UInt8.self) {
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
            shift += 7
        }
        return nil
    }

    fileprivate mutating func writeText(_ text: String) {
        writeVariable(Int64(text.utf8.count))
        writeString(text)
    }

    fileprivate mutating func readText() -> String? {
        guard let count = readVariable(), count >= 0, count <= readableBytes else { return nil }
        return readString(length: Int(count))
    }
}
