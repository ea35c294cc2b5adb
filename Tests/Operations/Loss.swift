import Tensors

/// A loss over hidden vectors and a table, with its gradients.
package struct Loss: Sendable {
    enum Kind { case crossEntropy, soft, sampled, pairwise }

    var kind: Kind
    var rows, columns, tableRows: Int
    var hasGradients = true
    /// Different values that are added to some scores; nil for no bias.
    var biasKinds: Int?
    /// Number of teachers and their share; for soft targets.
    var teachers = 0, share: Float = 0.5
    /// Number of negatives of a sample; for the sampled loss.
    var negatives = 0
    /// How many rows share a sample; nil for one sample for all.
    var rowsPerSample: Int?
    var scale: Float = 0.7
    /// Hidden vectors and table are whole numbers up to 40, whose scores are exact: margins far beyond where e^x overflows, and
    /// near zero.
    var areWhole = false
    /// Logits of ±80 instead.
    var isExtreme = false
    /// Row numbers of targets and negatives; nil for random ones.
    var targetRows, negativeRows: [Int32]?

    init(_ kind: Kind, rows: Int, columns: Int, tableRows: Int) {
        (self.kind, self.rows, self.columns, self.tableRows) = (kind, rows, columns, tableRows)
    }

    /// Softmax over the whole table.
    package static func crossEntropy(rows: Int, columns: Int, tableRows: Int) -> OperationCase {
        Loss(.crossEntropy, rows: rows, columns: columns, tableRows: tableRows).operation
    }

    /// Products, once or with both gradients; maximum, difference, exponential and sum of a logit. The target's difference is
    /// neglected.
    private var flops: Int {
        let logits =
            switch kind {
            case .crossEntropy, .soft: tableRows
            case .sampled: negatives + 1
            case .pairwise: 2
            }
        return rows * logits * ((hasGradients ? 6 : 2) * columns + 4 + teachers * (2 * columns + 6))
    }

    var operation: OperationCase {
        let operation: Operation =
            switch kind {
            case .crossEntropy: .crossEntropy
            case .soft: .softCrossEntropy
            case .sampled: .sampledCrossEntropy
            case .pairwise: .pairwiseLoss
            }
        return OperationCase(operation, "\(self)", flops: flops) { [self] arguments in
            let hidden = arguments.input(
                "hidden", rows, columns, values: values(arguments, rows * columns, Self.extremeHidden))
            let table = arguments.input(
                "table", tableRows, columns,
                values: values(arguments, tableRows * columns, (0..<tableRows).map { [-10, 10, 3][$0 % 3] }))
            let targets = arguments.indices("targets", targetRows ?? arguments.rowNumbers(rows, below: tableRows))
            let bias = biasKinds.map { arguments.sparseBias(rows: rows, tableRows: tableRows, kinds: $0) }
            let gradients = gradients(arguments)
            let call = call(arguments, hidden, table, targets, bias, gradients)
            return { arguments.report("loss", call(), floor: Float(rows), gradientScale: scale) }
        }
    }

    private func values(_ arguments: Arguments, _ count: Int, _ extreme: @autoclosure () -> [Float]) -> [Float]? {
        isExtreme ? extreme() : areWhole ? arguments.wholeNumbers(count, upTo: 40) : nil
    }

    private func call(
        _ arguments: Arguments, _ hidden: Tensor, _ table: Tensor, _ targets: Indices, _ bias: SparseBias?,
        _ gradients: LossGradients?
    ) -> () -> Double {
        let backend = arguments.backend
        switch kind {
        case .crossEntropy, .soft:
            let softTargets = kind == .soft ? softTargets(arguments) : nil
            return {
                backend.crossEntropy(
                    hidden, table: table, targets: targets, softTargets: softTargets, bias: bias, scale: scale,
                    gradients: gradients)
            }
        case .sampled:
            let negatives = arguments.indices("negatives", negativeRows ?? drawnSamples(arguments))
            let targetLogQ = arguments.input("target log Q", 1, rows, in: -6...0)
            let logQ = arguments.input("log Q", 1, negatives.count, in: -6...0)
            return {
                backend.sampledCrossEntropy(
                    hidden, table: table, targets: targets, targetLogQ: targetLogQ, negatives: negatives, logQ: logQ,
                    rowsPerSample: rowsPerSample ?? rows, bias: bias, scale: scale, gradients: gradients)
            }
        case .pairwise:
            let negatives = arguments.indices(
                "negatives", negativeRows ?? arguments.rowNumbers(rows, below: tableRows))
            return {
                backend.pairwiseLoss(
                    hidden, table: table, targets: targets, negatives: negatives, scale: scale, gradients: gradients)
            }
        }
    }

    /// Teachers of other widths, every second with a bias.
    private func softTargets(_ arguments: Arguments) -> SoftTargets {
        let scores = (0..<teachers).map { number in
            Scores(
                hidden: arguments.input("hidden of teacher \(number)", rows, columns + number),
                table: arguments.input("table of teacher \(number)", tableRows, columns + number),
                bias: number % 2 == 0
                    ? arguments.sparseBias("bias of teacher \(number)", rows: rows, tableRows: tableRows, kinds: 5)
                    : nil)
        }
        return SoftTargets(scores, share: share)
    }

    /// As many samples as are shared, of one size.
    private func drawnSamples(_ arguments: Arguments) -> [Int32] {
        let count = (rows + (rowsPerSample ?? rows) - 1) / (rowsPerSample ?? rows)
        let samples = (0..<count).map { _ in drawnNegatives(arguments) }
        let size = samples.map(\.count).min()!
        return samples.flatMap { $0.prefix(size) }
    }

    /// A third are drawn from a table's first rows, so that some are targets.
    private func drawnNegatives(_ arguments: Arguments) -> [Int32] {
        let drawn = (0..<negatives).map { i in
            arguments.rowNumbers(1, below: i % 3 == 0 ? min(tableRows, 8) : tableRows)[0]
        }
        return Set(drawn).sorted(by: negatives % 2 == 0 ? (<) : (>))
    }

    private func gradients(_ arguments: Arguments) -> LossGradients? {
        guard hasGradients else { return nil }
        return LossGradients(
            hidden: arguments.output("gradient of hidden", rows, columns, floor: 0.01),
            table: arguments.accumulated("gradient of table", tableRows, columns),
            biasValues: biasKinds.map {
                // Where the kinds of a row's logits are one, its gradients cancel.
                arguments.accumulated("gradient of bias values", 1, $0, floor: 0.1)
            })
    }
}

extension Loss {
    private static let extremeHidden: [Float] = [8, -8, 8, -8, 0, 8]

    /// Tokens, features and table rows, whose product is small; every fourth without gradients.
    private static func shapes(_ kind: Kind, budget: Int = 400_000) -> [Loss] {
        var triples: [(Int, Int, Int)] = []
        for (i, rows) in lengths.enumerated() {
            for (j, tableRows) in tableSizes.enumerated() {
                let columns = widths[(3 * i + j) % widths.count]
                if rows * columns * tableRows <= budget { triples.append((rows, columns, tableRows)) }
            }
        }
        // Several tiles of rows, and a table that is wider than a tile.
        triples += [(80, 1, 3417), (130, 3, 1001), (131, 2, 1001), (18, 1, 16_391), (17, 2, 16_400)]
        return triples.enumerated().map { number, shape in
            var loss = Loss(kind, rows: shape.0, columns: shape.1, tableRows: shape.2)
            loss.hasGradients = number % 4 != 0
            return loss
        }
    }

    /// Logits far beyond where e^x overflows.
    private static func extreme(_ kind: Kind) -> [OperationCase] {
        [2, 21, 101].map { tableRows in
            var loss = Loss(kind, rows: 6, columns: 1, tableRows: tableRows)
            (loss.isExtreme, loss.scale) = (true, 1)
            (loss.targetRows, loss.negativeRows) = ([0, 0, 1, 1, 1, 0], [0, Int32(tableRows) - 1])
            return loss.operation
        }
    }

    static let crossEntropyCases: [OperationCase] =
        shapes(.crossEntropy).map(\.operation)
        + shapes(.crossEntropy, budget: 200_000).enumerated().map { number, shape in
            var loss = shape
            loss.biasKinds = [1, 7, 40][number % 3]
            return loss.operation
        } + extreme(.crossEntropy)

    /// One to three teachers with a share of .5, 1 or .1, with and without a bias of the model's own.
    static let softCases: [OperationCase] =
        shapes(.soft, budget: 200_000).enumerated().map { number, shape in
            var loss = shape
            loss.teachers = 1 + number % 3
            loss.share = [0.5, 1, 0.1][number % 3]
            loss.biasKinds = number % 2 == 0 ? nil : 7
            return loss.operation
        }
        + [2, 21].map { tableRows in
            var loss = Loss(.soft, rows: 6, columns: 1, tableRows: tableRows)
            (loss.isExtreme, loss.scale, loss.teachers) = (true, 1, 2)
            loss.targetRows = [0, 0, 1, 1, 1, 0]
            return loss.operation
        }

    static let sampledCases: [OperationCase] =
        shapes(.sampled, budget: 200_000).enumerated().flatMap { number, shape in
            [nil, 7].map { kinds in
                var loss = shape
                loss.negatives = min(shape.tableRows, [1, 17, 64, 300][number % 4])
                loss.biasKinds = kinds
                return loss.operation
            }
        } + sharedSampleCases + extreme(.sampled)

    /// Samples that one row, some or many share, the last of them often by fewer; rows that many samples have; more samples than a warp has lanes.
    private static let sharedSampleCases: [OperationCase] = [
        (1, 1, 2), (7, 3, 17), (64, 32, 9), (65, 32, 9), (130, 128, 40), (100, 1, 5), (70, 2, 300), (256, 64, 33),
    ].enumerated().flatMap { number, cut in
        [nil, 7].map { kinds in
            var loss = Loss(
                .sampled, rows: cut.0, columns: [3, 33, 64, 130][number % 4], tableRows: [20, 301][number % 2])
            (loss.rowsPerSample, loss.negatives, loss.biasKinds) = (cut.1, cut.2, kinds)
            return loss.operation
        }
    }

    static let pairwiseCases: [OperationCase] = shapes(.pairwise).enumerated().map { number, shape in
        var loss = shape
        loss.areWhole = number % 5 == 0
        return loss.operation
    }

    /// One negative is a target, and some are in the bias.
    static let differentiableCases: [DifferentiableCase] = [Kind.crossEntropy, .soft, .sampled, .pairwise].map { kind in
        var loss = Loss(kind, rows: 4, columns: 3, tableRows: 6)
        (loss.targetRows, loss.negativeRows) = ([0, 5, 2, 2], [2, 1, 3, 4])
        loss.biasKinds = kind == .pairwise ? nil : 2
        loss.teachers = kind == .soft ? 2 : 0
        loss.scale = 0.5
        return DifferentiableCase(forward: loss.operation, backward: nil, tolerance: 2e-6)
    }
}

extension Arguments {
    /// Additions to none, some or many of each row's scores.
    func sparseBias(
        _ name: String = "bias", rows: Int, tableRows: Int, kinds: Int, values: [Float]? = nil
    ) -> SparseBias {
        var (starts, columns): ([Int32], [Int32]) = ([0], [])
        for n in 0..<rows {
            columns += Set(rowNumbers([0, 1, 5, 40][n % 4], below: tableRows)).sorted(by: n % 2 == 0 ? (<) : (>))
            starts.append(Int32(columns.count))
        }
        return SparseBias(
            starts: indices("\(name) starts", starts), columns: indices("\(name) columns", columns),
            kinds: indices("\(name) kinds", rowNumbers(columns.count, below: kinds)),
            values: input("\(name) values", 1, kinds, in: -3...3, values: values), scale: 2)
    }
}
