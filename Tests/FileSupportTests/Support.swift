import CZlib
import FileSupport
import Foundation

/// A new folder that is removed when `body` ends.
func withTemporaryFolder<Value>(_ body: (URL) throws -> Value) throws -> Value {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("recblr-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    return try body(url)
}

/// Names of what is in a folder, hidden ones too.
func contents(of folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
}

/// Bytes as gzip packs them.
func gzipped(_ bytes: [UInt8]) throws -> [UInt8] {
    try withTemporaryFolder { folder in
        let url = folder.appendingPathComponent("packed")
        guard let file = gzopen(url.path, "wb") else { throw CocoaError(.fileWriteUnknown) }
        let written = bytes.withUnsafeBytes { $0.isEmpty ? 0 : gzwrite(file, $0.baseAddress, UInt32($0.count)) }
        guard gzclose(file) == Z_OK, Int(written) == bytes.count else { throw CocoaError(.fileWriteUnknown) }
        return [UInt8](try Data(contentsOf: url))
    }
}

/// The lines that a reader finds in a file of these bytes.
func lines(of bytes: [UInt8], named name: String = "file") throws -> [[UInt8]] {
    try withTemporaryFolder { folder in
        let url = folder.appendingPathComponent(name)
        try Data(bytes).write(to: url)
        return try lines(of: url)
    }
}

func lines(of url: URL) throws -> [[UInt8]] {
    var reader = try LineReader(url)
    var lines: [[UInt8]] = []
    while let line = try reader.next() {
        lines.append([UInt8](line))
        guard reader.lineNumber == lines.count else { throw CocoaError(.fileReadUnknown) }
    }
    return lines
}

/// The reason a file error gives.
func fileError(_ body: () throws -> Void) -> FileError? {
    do { try body() } catch { return error as? FileError }
    return nil
}
