import ArrowData
import ErrorSupport

/// The ids in a table of one column: texts, or whole numbers. Throws where a row has none, or something else.
func ids(in table: consuming ArrowStream) throws -> [String] {
    guard table.fields.count == 1 else {
        throw CallError(.badData, "users: expected one column, found \(table.fields.count)")
    }
    var ids: [String] = []
    while let batch = try table.next() {
        let column = try batch.column(0)
        for row in 0..<batch.count { ids.append(try id(column.value(at: row), ids.count)) }
    }
    return ids
}

private func id(_ value: ArrowValue, _ row: Int) throws(CallError) -> String {
    switch value {
    case .text(let bytes):
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CallError(.badData, "users: row \(row + 1) is not UTF-8")
        }
        return text
    case .signed(let number): return String(number)
    case .unsigned(let number): return String(number)
    default: throw CallError(.badData, "users: row \(row + 1) is no id: expected text or a whole number")
    }
}
