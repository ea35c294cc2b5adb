import CZlib
import FileSupport
import Foundation
import Identifiers
import Interactions

/// A new folder that is removed when `body` ends.
func withTemporaryFolder<Value>(_ body: (URL) throws -> Value) throws -> Value {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("recblr-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    return try body(url)
}

/// A prepared log: what its users did, by raw ids, users in order.
struct Prepared: Equatable {
    var users: [String] = []
    var histories: [[String]] = []
    /// Seconds.
    var times: [[Double]] = []
    var summary: DatasetSummary?

    /// Lines, skipped lines, events dropped by rating.
    var readCounts: [Int] {
        (summary?.report?.read).map { [$0.lines, $0.skippedLines, $0.droppedByRating] } ?? []
    }

    init(_ dataset: Dataset) {
        users = dataset.users.map { Array($0.ids) } ?? []
        let items = dataset.items.map { Array($0.ids) } ?? []
        for user in 0..<dataset.userCount {
            histories.append(dataset.sequence(ofUser: user).map { items[$0.row] })
            if let times = dataset.timestamps(ofUser: user) { self.times.append(times.map { Double($0) / 1e9 }) }
        }
        summary = dataset.summary
    }
}

/// Reads, prepares and opens a log of these bytes.
func prepare(
    _ bytes: [UInt8], named name: String = "log.csv", _ options: ReadOptions = ReadOptions(),
    _ filters: Filters = Filters()
) throws -> Prepared {
    try withTemporaryFolder { folder in
        let url = folder.appendingPathComponent(name)
        try Data(bytes).write(to: url)
        let output = folder.appendingPathComponent("dataset")
        let log = try InteractionLog.read(url, options)
        let summary = try log.prepare(filters, source: name, to: output)
        let dataset = try Dataset.open(output)
        guard dataset.summary == summary else { throw CocoaError(.coderInvalidValue) }
        return Prepared(dataset)
    }
}

func prepare(
    _ text: String, named name: String = "log.csv", _ options: ReadOptions = ReadOptions(),
    _ filters: Filters = Filters()
) throws -> Prepared {
    try prepare([UInt8](text.utf8), named: name, options, filters)
}

/// What the error says, with the folder that the test ran in taken out; nil if there was none.
func complaint(_ body: () throws -> Void) -> String? {
    do { try body() } catch {
        guard let error = error as? DatasetError else { return "another error: \(error)" }
        return error.description.replacing(/\/[^ ,:]*recblr-[-0-9A-F]{36}\//, with: "")
    }
    return nil
}

/// What the error says that can be done; empty if there was none.
func remedies(_ body: () throws -> Void) -> [LogRemedy] {
    do { try body() } catch { return (error as? DatasetError)?.remedies.compactMap { $0 as? LogRemedy } ?? [] }
    return []
}

/// Bytes as gzip packs them.
func gzipped(_ bytes: [UInt8]) throws -> [UInt8] {
    try withTemporaryFolder { folder in
        let url = folder.appendingPathComponent("packed")
        guard let file = gzopen(url.path, "wb") else { throw CocoaError(.fileWriteUnknown) }
        let written = bytes.withUnsafeBytes { gzwrite(file, $0.baseAddress, UInt32($0.count)) }
        guard gzclose(file) == Z_OK, Int(written) == bytes.count else { throw CocoaError(.fileWriteUnknown) }
        return [UInt8](try Data(contentsOf: url))
    }
}

extension ReadOptions {
    /// For logs without times.
    static let fileOrder = with { $0.usesFileOrder = true }

    static func with(_ change: (inout ReadOptions) -> Void) -> ReadOptions {
        var options = ReadOptions()
        change(&options)
        return options
    }
}
