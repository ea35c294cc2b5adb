import Tensors

/// `rows` rows of a table: read, or added to.
package struct TableRows: Sendable {
    var rows, columns, tableRows: Int
    /// Row numbers; nil for random ones.
    var numbers: [Int32]?

    package init(rows: Int, columns: Int, tableRows: Int, numbers: [Int32]? = nil) {
        (self.rows, self.columns, self.tableRows, self.numbers) = (rows, columns, tableRows, numbers)
    }

    package var gather: OperationCase {
        OperationCase(.gather, "\(self)", flops: 0) { [self] arguments in
            let table = arguments.input("table", tableRows, columns, used: rows * columns)
            let (numbers, output) = (numbers(arguments), arguments.output("rows", rows, columns))
            return { arguments.backend.gather(numbers, from: table, into: output) }
        }
    }

    package var scatterAdd: OperationCase {
        OperationCase(.scatterAdd, "\(self)", flops: rows * columns) { [self] arguments in
            let gradient = arguments.input("gradient of rows", rows, columns)
            let table = arguments.accumulated("gradient of table", tableRows, columns, used: rows * columns)
            let numbers = numbers(arguments)
            return { arguments.backend.scatterAdd(gradient, to: numbers, of: table) }
        }
    }

    private func numbers(_ arguments: Arguments) -> Indices {
        arguments.indices("row numbers", numbers ?? arguments.rowNumbers(rows, below: tableRows))
    }

    /// Tables of few rows, so that some occur many times.
    static let cases: [TableRows] = shapes().map {
        TableRows(rows: $0.rows, columns: $0.columns, tableRows: tableSizes[$0.options % 4])
    }
}
