import Tensors

/// Every kind of transposition, gaps between rows, adding or overwriting, one row, one column, no row.
let multiplyCases: [Case] = {
    let sizes = [
        (1, 1, 1), (1, 64, 101), (2, 3, 5), (7, 17, 1), (16, 16, 16), (17, 33, 31), (64, 8, 65), (3, 200, 100),
        (1, 256, 128), (5, 1000, 3), (127, 1, 33), (63, 64, 64), (100, 515, 66),
    ]
    var cases: [Case] = []
    for (m, k, n) in sizes {
        for options in 0..<8 {
            let (ta, tb, accumulate) = (options & 1 != 0, options & 2 != 0, options & 4 != 0)
            for gap in [0, 5] {
                let name = "\(m) × \(k) × \(n), transposed \(ta) \(tb), accumulate \(accumulate), gap \(gap)"
                cases.append(
                    Case(.multiply, name) { bench in
                        let a = ta ? bench.input(k, m, gap: gap) : bench.input(m, k, gap: gap)
                        let b = tb ? bench.input(n, k, gap: gap) : bench.input(k, n, gap: gap)
                        let output =
                            accumulate
                            ? bench.changing("product", m, n, gap: gap) : bench.output("product", m, n, gap: gap)
                        bench.backend.multiply(
                            a, transposed: ta, b, transposed: tb, into: output, accumulate: accumulate)
                    })
            }
        }
    }
    cases.append(
        Case(.multiply, "no rows to sum over") { bench in
            bench.backend.multiply(
                bench.input(0, 3), transposed: true, bench.input(0, 5), transposed: false,
                into: bench.changing("kept", 3, 5), accumulate: true)
            bench.backend.multiply(
                bench.input(0, 3), transposed: true, bench.input(0, 5), transposed: false,
                into: bench.output("cleared", 3, 5), accumulate: false)
        })
    return cases
}()

func elementwiseCases(_ operation: Operation) -> [Case] {
    shapes().map { shape in
        Case(operation, shape.name) { bench in
            let (rows, columns) = (shape.rows, shape.columns)
            let gaps = [0, shape.has(0) ? 3 : 0, shape.has(1) ? 8 : 0]
            switch operation {
            case .fill:
                bench.backend.fill(bench.output("filled", rows, columns, gap: gaps[1]), with: 0.3)
            case .copy:
                bench.backend.copy(
                    bench.input(rows, columns, gap: gaps[1]), to: bench.output("copy", rows, columns, gap: gaps[2]))
            case .add:
                bench.backend.add(
                    bench.input(rows, columns, gap: gaps[1]), to: bench.changing("sum", rows, columns, gap: gaps[2]))
            default:
                bench.report("norm", bench.backend.squaredNorm(bench.input(rows, columns, gap: gaps[1])))
            }
        }
    }
}

func tableCases(_ operation: Operation) -> [Case] {
    shapes().map { shape in
        let tableRows = tableSizes[shape.options % 4]  // few rows, so that some are met many times
        return Case(operation, "\(shape.name), table \(tableRows)") { bench in
            let rows = bench.indices(bench.rowNumbers(shape.rows, below: tableRows))
            if operation == .gather {
                bench.backend.gather(
                    rows, from: bench.input(tableRows, shape.columns),
                    into: bench.output("rows", shape.rows, shape.columns))
            } else {
                bench.backend.scatterAdd(
                    bench.input(shape.rows, shape.columns), to: rows,
                    of: bench.changing("table", tableRows, shape.columns))
            }
        }
    }
}

let adamCases: [Case] =
    shapes().map { shape in
        let number = [1, 2, 1000][shape.options % 3]
        return Case(.adam, "\(shape.name), step \(number)") { bench in
            let (rows, columns) = (shape.rows, shape.columns)
            let second = bench.numbers(rows * columns, in: 0...1)
            bench.backend.adam(
                bench.changing("weights", rows, columns), gradient: bench.input(rows, columns, in: -3...3),
                firstMoment: bench.changing("first moment", rows, columns),
                secondMoment: bench.changing("second moment", rows, columns, values: second),
                step: AdamStep(
                    number: number, learningRate: 1e-2, gradientScale: shape.has(0) ? 0.25 : 1,
                    weightDecay: shape.has(1) ? 0.5 : 0,
                    decayedCount: shape.has(2) ? bench.integer(in: 0...rows * columns) : .max))
        }
    }
    + shapes().filter { $0.rows * $0.columns > 2 }.map { shape in
        Case(.adam, "\(shape.name), parts of the weights") { bench in
            // Three parts with gaps, outside which the gradient is zero; norms below the limit and above.
            let count = shape.rows * shape.columns
            let ranges = [0..<count / 3, count / 3..<count / 2, count / 2 + 1..<count].filter { !$0.isEmpty }
            var gradient = bench.numbers(count, in: -3...3)
            for i in gradient.indices where !ranges.contains(where: { $0.contains(i) }) { gradient[i] = 0 }
            bench.backend.adam(
                bench.changing("weights", 1, count), gradient: bench.changing("gradient", 1, count, values: gradient),
                firstMoment: bench.changing("first moment", 1, count),
                secondMoment: bench.changing("second moment", 1, count, values: bench.numbers(count, in: 0...1)),
                step: AdamStep(
                    number: 3, learningRate: 1e-2, weightDecay: shape.has(2) ? 0.5 : 0,
                    decayedCount: shape.has(3) ? bench.integer(in: 0...count) : .max),
                largestNorm: shape.has(0) ? 2 : shape.has(1) ? 1e4 : nil,
                clearing: ranges)
        }
    }
