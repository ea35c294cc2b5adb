import FileSupport
import Foundation
import Identifiers

/// Titles of items by raw id, from a table or JSON objects beside the log.
public enum Titles {
    /// Reads a file like a log: the same formats except sequences, the same delimiters, quotes and names of columns.
    /// Without a header the first column is the item and the second its title.
    ///
    /// The column of items is the one that `options` name for the log, where the file has it, otherwise one with a usual
    /// name. Text that is not UTF-8 is decoded as Latin-1, which MovieLens uses. An item that occurs more than
    /// once has its last title.
    /// - Parameters:
    ///   - options: `format` and `delimiter` of the titles; `columns.item` and `skipsBadLines`. The rest is ignored.
    ///   - titleColumn: nil for usual names.
    ///   - understood: called with the layout of the file before it is read.
    ///   - skipped: called with the number of malformed records that were skipped, if there were any.
    public static func read(
        _ source: LogSource, _ options: ReadOptions = ReadOptions(), titleColumn: String? = nil,
        understood: (LogLayout) -> Void = { _ in }, skipped: (Int) -> Void = { _ in }
    ) throws(DatasetError) -> [String: String] {
        let finder = LayoutFinder(path: source.path, options: options, purpose: .titles(column: titleColumn))
        guard var records = try finder.open(source) else { throw .malformed(path: source.path, reason: "no titles") }
        understood(records.layout)
        var titles: [String: String] = [:]
        var badLines = 0
        while true {
            do {
                guard try records.next() else { break }
                try add(records.fields, to: &titles)
            } catch {
                let problem: LineProblem
                switch error {
                case .file(let error): throw .file(error)
                case .line(let error): problem = error
                }
                guard options.skipsBadLines, problem.scope != .rest else {
                    throw problem.error(source.path, line: records.lineNumber)
                }
                badLines += 1
            }
        }
        if badLines > 0 { skipped(badLines) }
        if titles.isEmpty { throw .malformed(path: source.path, reason: "no titles") }
        return titles
    }

    private static func add(_ fields: [Bytes], to titles: inout [String: String]) throws(RecordProblem) {
        let (id, title) = (composedText(fields[0]), composedText(fields[1]))
        guard !id.isEmpty, !Identifier.isNullMark(fields[0]) else {
            throw .line(LineProblem(reason: "the item is \(id.isEmpty ? "empty" : quoted(id))"))
        }
        if !title.isEmpty, !Identifier.isNullMark(fields[1]) { titles[id] = title }
    }

    private static func composedText(_ bytes: Bytes) -> String {
        let text = text(bytes)
        return composed(text).map { String(decoding: $0, as: UTF8.self) } ?? text
    }
}

extension InteractionLog {
    /// How titles match the log.
    public struct TitleMatch: Sendable {
        /// Titles of items that do not occur in the log.
        public var unmatched = 0
        /// Items of the log that have no title.
        public var untitled = 0
        /// An item of the log, and one of the titles that match none.
        public var example: (item: String, title: String)?
    }

    /// Compares the ids of titles with the log's items, before filters. O(items + titles).
    public func match(_ titles: [String: String]) -> TitleMatch {
        var result = TitleMatch()
        var matched = 0
        for number in 0..<Int32(itemIDs.count) {
            if titles[itemIDs.string(number)] == nil { result.untitled += 1 } else { matched += 1 }
        }
        result.unmatched = titles.count - matched
        if matched == 0, let title = titles.keys.min(), itemIDs.count > 0 {
            result.example = (itemIDs.string(0), title)
        }
        return result
    }
}
