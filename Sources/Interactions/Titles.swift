import FileSupport
import Foundation

/// Titles of items by raw id, from a table beside the log.
public enum Titles {
    /// Reads RecBole's `.item` and other tables with a header (columns by name), or MovieLens' `id::title::…`.
    ///
    /// Lines that are not UTF-8 are taken as Latin-1, which is what MovieLens distributes.
    /// - Parameters: `idColumn`, `titleColumn`: nil for usual names.
    public static func read(
        _ url: URL, idColumn: String? = nil, titleColumn: String? = nil
    ) throws(DatasetError) -> [String: String] {
        let format = formatOfTitles(url.lastPathComponent)
        var reader = try withFileErrors { () throws(FileError) in try LineReader(url) }
        var splitter = FieldSplitter()
        var titles: [String: String] = [:]
        var (id, title) = (0, 1)
        var needsHeader = format != .movielens
        while let line = try withFileErrors({ () throws(FileError) in try reader.next() }) {
            if line.isEmpty { continue }
            let fields: [String]
            do { fields = try texts(of: line, format, &splitter) } catch {
                throw .line(path: url.path, number: reader.lineNumber, reason: error.reason)
            }
            if needsHeader {
                do { (id, title) = try columns(fields, idColumn, titleColumn) } catch {
                    throw .line(path: url.path, number: reader.lineNumber, reason: error.reason)
                }
                needsHeader = false
            } else if fields.count > max(id, title) {
                titles[fields[id]] = fields[title]
            } else {
                throw .line(
                    path: url.path, number: reader.lineNumber,
                    reason: "expected at least \(max(id, title) + 1) fields, found \(fields.count)")
            }
        }
        if titles.isEmpty { throw .malformed(path: url.path, reason: "no titles") }
        return titles
    }

    private static func formatOfTitles(_ name: String) -> InputFormat {
        switch InputFormat(fileName: name) {
        case .csv: .csv
        case .movielens: .movielens
        default: .tsv
        }
    }

    private static func texts(
        of line: Bytes, _ format: InputFormat, _ splitter: inout FieldSplitter
    ) throws(LineProblem) -> [String] {
        switch format {
        case .csv: try splitter.splitCSV(line)
        case .movielens: splitter.splitDoubleColon(line)
        default: splitter.split(line, separator: 0x09)
        }
        return splitter.fields.map { field in
            String(validating: field, as: UTF8.self)
                ?? String(String.UnicodeScalarView(field.map { Unicode.Scalar($0) }))
        }
    }

    private static func columns(
        _ header: [String], _ idColumn: String?, _ titleColumn: String?
    ) throws(LineProblem) -> (Int, Int) {
        let names = header.map { String($0.prefix { $0 != ":" }) }
        func find(_ name: String?, _ defaults: [String], _ what: String) throws(LineProblem) -> Int {
            let candidates = name.map { [$0] } ?? defaults
            for candidate in candidates {
                if let position = names.firstIndex(of: candidate) { return position }
            }
            throw LineProblem(
                reason: "there is no column \(name ?? "of \(what)"); found \(shortened(names.joined(separator: ", ")))")
        }
        let titleDefaults = ["title", "movie_title", "name", "item_name", "Title"]
        return (
            try find(idColumn, ColumnNames.itemDefaults, "items"), try find(titleColumn, titleDefaults, "titles")
        )
    }
}
