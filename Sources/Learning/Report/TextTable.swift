/// A table with aligned columns: the first to the left, the others to the right.
package struct TextTable {
    private var rows: [[String]] = []

    /// A table of these columns without rows.
    package init(_ header: [String]) { rows.append(header) }

    /// A row at the end; control characters are escaped.
    package mutating func add(_ row: [String]) { rows.append(row.map(printable)) }

    /// Lines with a rule below the header.
    package var text: String {
        let widths = (rows.first ?? []).indices.map { column in rows.map { displayWidth($0[column]) }.max() ?? 0 }
        func line(_ row: [String]) -> String {
            row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - displayWidth(row[column]))
                return column == 0 ? row[column] + space : space + row[column]
            }.joined(separator: "  ")
        }
        let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
        return ([line(rows[0]), rule] + rows.dropFirst().map(line)).joined(separator: "\n")
    }

    /// The table in Markdown.
    package var markdown: String {
        let lines = rows.map { "| " + $0.joined(separator: " | ") + " |" }
        let rule = "|" + rows[0].indices.map { $0 == 0 ? " --- |" : " ---: |" }.joined()
        return ([lines[0], rule] + lines.dropFirst()).joined(separator: "\n")
    }
}
