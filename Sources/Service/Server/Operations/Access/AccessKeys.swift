import Crypto
import ErrorSupport
import FileSupport
import Foundation

/// What a key allows. Each includes the ones before it.
enum Permission: Int, Comparable, CaseIterable {
    /// To ask.
    case read
    /// To change events and items.
    case write
    /// To release models.
    case admin

    static func < (a: Permission, b: Permission) -> Bool { a.rawValue < b.rawValue }
    var name: String { "\(self)" }
}

/// The keys of clients. Only their digests are kept.
public struct AccessKeys: Sendable {
    private var keys: [(digest: SHA256.Digest, permission: Permission)] = []
    /// Whether one of them is so short that it can be guessed.
    private(set) var hasShortKey = false

    /// No keys: everybody may do everything.
    public init() {}

    /// The keys of the settings: those of the file, and those of the environment.
    public init(_ settings: ServiceSettings) throws(SettingError) {
        if let path = settings.keys {
            let url = URL(fileURLWithPath: path)
            let bytes = try SettingError.wrapping { () throws(FileError) in try readFile(url) }
            try add(lines: String(decoding: bytes, as: UTF8.self), of: url.lastPathComponent)
        }
        for (key, permission) in [
            (settings.readKey, Permission.read), (settings.writeKey, .write), (settings.adminKey, .admin),
        ] {
            if let key { add(key, permission) }
        }
    }

    /// Shorter keys can be guessed.
    static let shortestGoodKey = 16

    /// Whether a text may be a key.
    static func isKey(_ text: String) -> Bool { !text.isEmpty && !text.contains(where: \.isWhitespace) }

    /// Whether there are none.
    var isEmpty: Bool { keys.isEmpty }

    /// What the bearer of a key may do; nil: it is none of the keys. Takes equally long for every key: all digests are compared, each in
    /// constant time.
    func permission(of key: String) -> Permission? {
        let digest = SHA256.hash(data: Data(key.utf8))
        return keys.reduce(nil) { found, known in known.digest == digest ? max(found ?? .read, known.permission) : found
        }
    }

    /// Adds the keys of lines `read KEY`, `write KEY` and `admin KEY`; empty lines and those that begin with # are passed over.
    mutating func add(lines: String, of file: String) throws(SettingError) {
        var isEmpty = true
        for (index, line) in lines.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            guard words.count == 2, let permission = Permission.allCases.first(where: { $0.name == first }) else {
                throw SettingError("\(file), line \(index + 1): expected read, write or admin and a key", .badData)
            }
            add(String(words[1]), permission)
            isEmpty = false
        }
        if isEmpty { throw SettingError("\(file): there is no key in it", .badData) }
    }

    /// Adds a key.
    mutating func add(_ key: String, _ permission: Permission) {
        keys.append((SHA256.hash(data: Data(key.utf8)), permission))
        if key.count < Self.shortestGoodKey { hasShortKey = true }
    }
}
