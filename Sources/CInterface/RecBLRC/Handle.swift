import CRecBLR
import ErrorSupport
import Foundation

/// What a handle of the interface stands for.
protocol Handed: AnyObject {
    /// What people call it.
    static var noun: String { get }
}

/// Hands an object out: the caller owns it until it calls the function that frees it.
func handedOut(_ object: some Handed) -> OpaquePointer {
    OpaquePointer(Unmanaged.passRetained(object).toOpaque())
}

/// The object behind a handle. Throws for NULL.
func object<Object: Handed>(_ handle: OpaquePointer?, _: Object.Type = Object.self) throws(CallError) -> Object {
    guard let handle else { throw CallError(.usage, "there is no \(Object.noun): the pointer is NULL") }
    return Unmanaged<Object>.fromOpaque(UnsafeRawPointer(handle)).takeUnretainedValue()
}

/// Takes an object back; NULL is nothing to do.
func free<Object: Handed>(_ handle: OpaquePointer?, _: Object.Type) {
    guard let handle else { return }
    Unmanaged<Object>.fromOpaque(UnsafeRawPointer(handle)).release()
}

/// What a function puts an object into. Throws for NULL, before anything is done.
func place<Value>(_ pointer: UnsafeMutablePointer<Value>?, _ name: String) throws(CallError) -> UnsafeMutablePointer<
    Value
> {
    guard let pointer else { throw CallError(.usage, "\(name): the pointer is NULL") }
    return pointer
}

/// An error of a call, in one sentence.
final class CallError: UserFacingError, Handed {
    static let noun = "error"
    let exitStatus: ExitStatus
    let description: String
    /// The sentence with a zero byte at its end, for as long as the error lives.
    let text: CText

    init(_ status: ExitStatus, _ sentence: String) {
        (exitStatus, description, text) = (status, sentence, CText(sentence))
    }
}

/// Bytes at an address that does not change.
///
/// Sendable, since nobody changes the bytes.
final class CText: Handed, @unchecked Sendable {
    static let noun = "text"
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    /// With one more byte, a zero, at the end.
    init(_ content: some Collection<UInt8>) {
        bytes = .allocate(capacity: content.count + 1)
        _ = bytes.initialize(from: content)
        bytes[content.count] = 0
    }

    convenience init(_ text: String) { self.init(Array(text.utf8)) }

    deinit { bytes.deallocate() }

    /// Valid as long as the object.
    var text: recblr_text {
        recblr_text(
            bytes: UnsafeRawPointer(bytes.baseAddress!).assumingMemoryBound(to: CChar.self), length: bytes.count - 1)
    }
}

extension recblr_text {
    /// The text. Throws unless it is UTF-8.
    func string(_ name: String) throws(CallError) -> String {
        guard length != 0 else { return "" }
        guard length > 0 else {
            throw CallError(.usage, "\(name): a length of \(UInt(bitPattern: length)) bytes cannot be")
        }
        guard let bytes else { throw CallError(.usage, "\(name): the pointer is NULL, its length is \(length)") }
        guard let text = String(validating: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self) else {
            throw CallError(.usage, "\(name) is not UTF-8")
        }
        return text
    }

    /// The same for what the system takes as a C string. Throws also where it has a zero byte.
    func argument(_ name: String) throws(CallError) -> String {
        let text = try string(name)
        if text.utf8.contains(0) { throw CallError(.usage, "\(name) has a zero byte in it") }
        return text
    }

    /// The URL of a path. Throws where it is empty.
    func url(_ name: String) throws(CallError) -> URL {
        let path = try argument(name)
        if path.allSatisfy(\.isWhitespace) { throw CallError(.usage, "\(name) is empty") }
        return URL(fileURLWithPath: path)
    }
}
