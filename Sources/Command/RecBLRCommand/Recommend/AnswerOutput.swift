import FileSupport
import Foundation

/// Writes answers to a file, atomically, or to standard output as they come.
struct AnswerOutput: ~Copyable {
    private var file: FileWriter?
    private var waiting = ""
    private static let batchSize = 1 << 16

    init(_ path: String?) throws {
        if let path { file = try FileWriter(fileURL(path)) }
    }

    mutating func append(_ text: String) throws {
        if file != nil { return try file!.append(text) }
        waiting += text
        if waiting.utf8.count >= Self.batchSize { try flush() }
    }

    consuming func finish() throws {
        try flush()
        if let file = file.take() { try file.commit() }
    }

    private mutating func flush() throws {
        if waiting.isEmpty { return }
        defer { waiting = "" }
        try printOutput(waiting, terminator: "")
    }
}
