import Tensors

/// Tokens, features and table rows of a loss; the product is kept small.
private struct LossShape {
    let rows, columns, tableRows, options: Int

    var hasGradients: Bool { options % 4 != 0 }
    var name: String { "\(rows) × \(columns), table \(tableRows), gradients \(hasGradients)" }
}

private func lossShapes(budget: Int = 400_000) -> [LossShape] {
    var triples: [(Int, Int, Int)] = []
    for (i, rows) in lengths.enumerated() {
        for (j, tableRows) in tableSizes.enumerated() {
            let columns = widths[(3 * i + j) % widths.count]
            if rows * columns * tableRows <= budget { triples.append((rows, columns, tableRows)) }
        }
    }
    // Several tiles of rows, and a table that is wider than a tile.
    triples += [(80, 1, 3417), (130, 3, 1001), (131, 2, 1001), (18, 1, 16_391), (17, 2, 16_400)]
    return triples.enumerated().map {
        LossShape(rows: $1.0, columns: $1.1, tableRows: $1.2, options: $0)
    }
}

extension Bench {
    /// Gradients of both factors, or none.
    fileprivate func lossGradients(_ shape: LossShape) -> LossGradients? {
        guard shape.hasGradients else { return nil }
        return LossGradients(
            hidden: output("hidden gradient", shape.rows, shape.columns, floor: 0.01),
            table: changing("table gradient", shape.tableRows, shape.columns))
    }

    /// Additions to none, some or many of each row's scores.
    func sparseBias(rows: Int, tableRows: Int, kinds: Int, in range: ClosedRange<Float> = -3...3) -> SparseBias {
        var (starts, columns): ([Int32], [Int32]) = ([0], [])
        for n in 0..<rows {
            columns += Set(rowNumbers([0, 1, 5, 40][n % 4], below: tableRows)).sorted(by: n % 2 == 0 ? (<) : (>))
            starts.append(Int32(columns.count))
        }
        return SparseBias(
            starts: indices(starts), columns: indices(columns), kinds: indices(rowNumbers(columns.count, below: kinds)),
            values: input(1, kinds, in: range), scale: 2)
    }

    fileprivate func targets(_ shape: LossShape) -> Indices {
        indices(rowNumbers(shape.rows, below: shape.tableRows))
    }
}

let crossEntropyCases: [Case] =
    lossShapes().map { shape in
        Case(.crossEntropy, shape.name) { bench in
            let loss = bench.backend.crossEntropy(
                bench.input(shape.rows, shape.columns), table: bench.input(shape.tableRows, shape.columns),
                targets: bench.targets(shape), scale: 0.7, gradients: bench.lossGradients(shape))
            bench.report("loss", loss, floor: Float(shape.rows))
        }
    }
    + lossShapes(budget: 200_000).map { shape in
        Case(.crossEntropy, "\(shape.name), with a bias") { bench in
            let kinds = [1, 7, 40][shape.options % 3]
            var gradients = bench.lossGradients(shape)
            gradients?.biasValues = bench.changing("bias gradient", 1, kinds)
            let loss = bench.backend.crossEntropy(
                bench.input(shape.rows, shape.columns), table: bench.input(shape.tableRows, shape.columns),
                targets: bench.targets(shape),
                bias: bench.sparseBias(rows: shape.rows, tableRows: shape.tableRows, kinds: kinds), scale: 0.7,
                gradients: gradients)
            bench.report("loss", loss, floor: Float(shape.rows))
        }
    }
    + [2, 21, 101].map { tableRows in
        Case(.crossEntropy, "logits of ±80, table \(tableRows)") { bench in
            let table = (0..<tableRows).map { [Float(-10), 10, 3][$0 % 3] }
            let shape = LossShape(rows: 6, columns: 1, tableRows: tableRows, options: 1)
            let loss = bench.backend.crossEntropy(
                bench.input(6, 1, values: [8, -8, 8, -8, 0, 8]), table: bench.input(tableRows, 1, values: table),
                targets: bench.indices([0, 0, 1, 1, 1, 0]), scale: 1, gradients: bench.lossGradients(shape))
            bench.report("loss", loss, floor: Float(shape.rows))
        }
    }

let sampledCrossEntropyCases: [Case] =
    lossShapes(budget: 200_000).flatMap { shape in
        let count = min(shape.tableRows, [1, 17, 64, 300][shape.options % 4])
        return [nil, 7].map { kinds in
            Case(.sampledCrossEntropy, "\(shape.name), \(count) negatives, \(kinds ?? 0) kinds") { bench in
                // A third are drawn from a table's first rows, so that targets are met.
                let negatives = (0..<count).map { i in
                    bench.rowNumbers(1, below: i % 3 == 0 ? min(shape.tableRows, 8) : shape.tableRows)[0]
                }
                var gradients = bench.lossGradients(shape)
                if let kinds { gradients?.biasValues = bench.changing("bias gradient", 1, kinds) }
                let distinct = Set(negatives).sorted(by: shape.options % 2 == 0 ? (<) : (>))
                let loss = bench.backend.sampledCrossEntropy(
                    bench.input(shape.rows, shape.columns), table: bench.input(shape.tableRows, shape.columns),
                    targets: bench.targets(shape), targetLogQ: bench.input(1, shape.rows, in: -6...0),
                    negatives: bench.indices(distinct),
                    logQ: bench.input(1, distinct.count, in: -6...0),
                    bias: kinds.map { bench.sparseBias(rows: shape.rows, tableRows: shape.tableRows, kinds: $0) },
                    scale: 0.7, gradients: gradients)
                bench.report("loss", loss, floor: Float(shape.rows))
            }
        }
    }
    + [2, 21, 101].map { tableRows in
        Case(.sampledCrossEntropy, "logits of ±80, table \(tableRows)") { bench in
            let table = (0..<tableRows).map { [Float(-10), 10, 3][$0 % 3] }
            let shape = LossShape(rows: 6, columns: 1, tableRows: tableRows, options: 1)
            let loss = bench.backend.sampledCrossEntropy(
                bench.input(6, 1, values: [8, -8, 8, -8, 0, 8]), table: bench.input(tableRows, 1, values: table),
                targets: bench.indices([0, 0, 1, 1, 1, 0]), targetLogQ: bench.input(1, 6, in: -2...0),
                negatives: bench.indices([0, Int32(tableRows) - 1]),
                logQ: bench.input(1, 2, values: [-1, 0]), bias: nil, scale: 1, gradients: bench.lossGradients(shape))
            bench.report("loss", loss, floor: Float(shape.rows))
        }
    }

let pairwiseLossCases: [Case] = lossShapes().map { shape in
    Case(.pairwiseLoss, shape.name) { bench in
        let size: Float = shape.options % 5 == 0 ? 40 : 1  // margins far beyond where e^x overflows
        let loss = bench.backend.pairwiseLoss(
            bench.input(shape.rows, shape.columns, in: -size...size),
            table: bench.input(shape.tableRows, shape.columns, in: -size...size), targets: bench.targets(shape),
            negatives: bench.targets(shape), scale: 0.7, gradients: bench.lossGradients(shape))
        bench.report("loss", loss, floor: Float(shape.rows))
    }
}
