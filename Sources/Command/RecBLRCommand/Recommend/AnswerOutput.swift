import FileSupport
import Foundation

/// Takes the text of answers: to a file, whole or not at all, or to standard output piece by piece.
struct AnswerOutput: ~Copyable {
    private var file: FileWriter?
    private var waiting = ""
    private static let pieceSize = 1 << 16

    init(_ path: String?) throws {
        if let path { file = try FileWriter(fileURL(path)) }
    }

    mutating func append(_ text: String) throws {
        if file != nil { return try file!.append(text) }
        waiting += text
        if waiting.utf8.count >= Self.pieceSize { try flush() }
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
