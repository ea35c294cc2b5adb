import CPUBackend
import Models
import Tensors

/// The paper's Table 5 on this machine: forward and backward of the model without its softmax (and without dropout) over a batch of
/// sequences of one length, on one thread, with the scan in four forms.
struct ScanBench: Encodable, Sendable {
    /// One length.
    struct Row: Encodable, Sendable {
        /// Events of each sequence.
        let length: Int
        /// Events with padding: a power of two.
        let paddedLength: Int
        /// Sequences of the batch.
        let sequences: Int
        /// Milliseconds of processor time for a batch, by form: medians over the rounds.
        let milliseconds: [String: Double]
        /// Time divided by the packed form's, by form: medians of the rounds' ratios.
        let ratios: [String: Double]
    }

    /// The machine.
    let machine: Machine
    /// One entry for each length, in the given order.
    let rows: [Row]

    /// Lengths of the paper's table.
    static let lengths = [200, 100, 257]
    private static let rounds = 5

    /// Batches of about `tokens` events.
    init(lengths: [Int] = Self.lengths, tokens: Int = 4096) {
        machine = Machine()
        rows = lengths.map { Self.row($0, sequences: max(1, tokens / $0)) }
    }

    private static func row(_ length: Int, sequences: Int) -> Row {
        let batches = ScanForm.allCases.map {
            ($0, ScanBatch($0, ModelConfiguration(itemCount: BenchReport.items), length: length, sequences: sequences))
        }
        var times: [ScanForm: [Double]] = [:]
        for _ in 0..<rounds {
            for (form, batch) in batches { times[form, default: []].append(medianThreadTime(for: 0.2, batch.run)) }
        }
        func by(_ value: (ScanForm) -> Double) -> [String: Double] {
            Dictionary(uniqueKeysWithValues: ScanForm.allCases.map { ($0.rawValue, value($0)) })
        }
        return Row(
            length: length, paddedLength: powerOfTwo(atLeast: length), sequences: sequences,
            milliseconds: by { median(times[$0]!) * 1e3 },
            ratios: by { form in median(zip(times[form]!, times[.packed]!).map { $0 / $1 }) })
    }
}
