import ArrowData
import CArrow
import ErrorSupport
import Foundation
import Identifiers
import Interactions
import Testing

/// Reads handmade batches. Everything that was made must have been released once when it returns, or throws.
func read(
    _ batches: [Handmade], _ options: ReadOptions = ReadOptions(), schema: Handmade? = nil,
    failing failure: HandmadeStream.Failure = .none, understood: (LogLayout) -> Void = { _ in }
) throws -> InteractionLog {
    let ledger = Ledger()
    defer { #expect(ledger.isBalanced, "made \(ledger.made), released \(ledger.released)") }
    var exported = HandmadeStream(batches, schema: schema, ledger, failing: failure).exported
    let stream = try ArrowStream(moving: &exported)
    return try InteractionLog.read(stream, options, understood: understood)
}

/// The files of the dataset of a table, by name.
func dataset(of batches: [Handmade], _ options: ReadOptions = ReadOptions()) throws -> [String: Data] {
    try files(of: try read(batches, options))
}

/// The files of the dataset of a CSV file.
func dataset(ofCSV text: String, _ options: ReadOptions = ReadOptions()) throws -> [String: Data] {
    try withTemporaryFolder { folder in
        let url = folder.appendingPathComponent("log.csv")
        try Data(text.utf8).write(to: url)
        return try files(of: try InteractionLog.read(url, options))
    }
}

private func files(of log: consuming InteractionLog) throws -> [String: Data] {
    let log = log
    return try withTemporaryFolder { folder in
        let output = folder.appendingPathComponent("dataset")
        _ = try log.prepare(Filters(), source: "the same", to: output)
        let names = try FileManager.default.contentsOfDirectory(atPath: output.path)
        return try Dictionary(
            uniqueKeysWithValues: names.map { ($0, try Data(contentsOf: output.appendingPathComponent($0))) })
    }
}

/// The files, or what an error says without the place.
func result(_ body: () throws -> [String: Data]) -> [String: Data] {
    do { return try body() } catch {
        return ["error": Data("\(error)".replacing(/^.*?: | \(column.*$/, with: "").utf8)]
    }
}

/// What an error says; empty if there was none.
func complaint(_ body: () throws -> Void) -> String {
    do { try body() } catch { return (error as? any UserFacingError)?.description ?? "another error: \(error)" }
    return ""
}

/// A new folder that is removed when `body` ends.
func withTemporaryFolder<Value>(_ body: (URL) throws -> Value) throws -> Value {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("recblr-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    return try body(url)
}
