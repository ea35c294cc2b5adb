import CPUBackend
import Models
import Operations
import Tensors

/// A roofline: operations against their limits, on one thread.
struct OperationTable: Encodable, Sendable {
    /// One operation; figures per token of a whole training step, that is of all layers.
    struct Row: Encodable, Sendable {
        /// The operation with its shapes.
        let name: String
        /// Calls in each pass (or step).
        let calls: Int
        /// Median of the processor time.
        let nanoseconds: Double
        /// The bytes that must at least be read and written.
        let bytes: Double
        /// FLOPs: additions, multiplications, divisions, roots and exponentials.
        let flops: Double
        /// Size of the working set in KB, and the smallest cache that holds it.
        let workingSetKilobytes: Double
        /// "L2", "memory", ...
        let home: String
        /// GB/s of copies with a working set of that size.
        let copyGigabytes: Double
        /// The larger of flops at the product peak and bytes at the copies' rate.
        let limitNanoseconds: Double
        /// Whether the limit is that of arithmetic.
        let limitedByArithmetic: Bool
        /// Fraction of the limit that is reached.
        let share: Double
    }

    /// Precision of matrix products.
    let precision: String
    /// Tokens of a forward and backward pass.
    let pieceTokens: Int
    /// Tokens of a step, which the optimiser's rows are divided by.
    let stepTokens: Int
    /// GFLOP/s of the best products on one thread.
    let productPeak: Double
    /// GB/s of copies, read and written bytes, by the bytes of their working set: in caches and in memory.
    let copyRates: [Int: Double]
    /// Processor time divided by wall-clock time of the measurements: less than 0.95 means that other processes ran.
    let processorShare: Double
    /// In the order of the forward pass.
    let rows: [Row]
    /// A whole step of training on one thread, processor time too, measured in the same rounds.
    let stepNanoseconds: Double

    /// Time of all rows, and the rest of the step.
    let sumNanoseconds, restNanoseconds: Double
    /// Time of a step if every operation ran at its limit.
    let limitNanoseconds: Double

    init(_ timer: OperationTimer, _ limits: Limits, _ machine: Machine, precision: Precision, stepNanoseconds: Double) {
        self.precision = precision.rawValue
        (pieceTokens, stepTokens) = (timer.operations.tokens, timer.operations.stepTokens)
        productPeak = limits.productPeak / 1e9
        copyRates = Dictionary(
            uniqueKeysWithValues: [1 << 18, 1 << 22, 1 << 28].map { ($0, limits.copyRate(workingSet: $0) / 1e9) })
        processorShare = timer.processorShare
        rows = timer.rows(limits, machine)
        self.stepNanoseconds = stepNanoseconds
        sumNanoseconds = rows.reduce(0) { $0 + $1.nanoseconds }
        restNanoseconds = stepNanoseconds - sumNanoseconds
        limitNanoseconds = rows.reduce(0) { $0 + $1.limitNanoseconds }
    }
}

/// Times the operations round by round, so that a drift of the machine affects all alike.
final class OperationTimer {
    let operations: StepOperations
    private var times: [[Double]]
    private var (wall, processor) = (0.0, 0.0)

    init(_ operations: StepOperations) {
        self.operations = operations
        times = Array(repeating: [], count: operations.rows.count)
    }

    var processorShare: Double { processor / wall }

    func round() {
        let (start, startProcessor) = (ContinuousClock.now, threadSeconds())
        defer { (wall, processor) = (wall + seconds(since: start), processor + threadSeconds() - startProcessor) }
        for (index, operation) in operations.rows.enumerated() {
            times[index].append(medianThreadTime(for: 0.01, operation.run))
        }
    }

    func rows(_ limits: Limits, _ machine: Machine) -> [OperationTable.Row] {
        zip(operations.rows, times).map { operation, times in
            let copyRate = limits.copyRate(workingSet: operation.arguments.workingSet)
            let arithmetic = operation.flopsPerToken / limits.productPeak * 1e9
            let traffic = operation.bytesPerToken / copyRate * 1e9
            let limit = max(arithmetic, traffic)
            let time = median(times) * 1e9 * Double(operation.calls) / Double(operation.tokens)
            return OperationTable.Row(
                name: operation.name, calls: operation.calls, nanoseconds: time,
                bytes: operation.bytesPerToken, flops: operation.flopsPerToken,
                workingSetKilobytes: Double(operation.arguments.workingSet) / 1e3,
                home: machine.nearestMemory(holding: operation.arguments.workingSet), copyGigabytes: copyRate / 1e9,
                limitNanoseconds: limit, limitedByArithmetic: arithmetic >= traffic, share: limit / time)
        }
    }
}
