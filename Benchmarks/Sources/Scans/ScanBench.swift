import CPUBackend
import Models
import Tensors

/// The paper's Table 5 on this machine: forward and backward of the model's layers (everything between embedding and
/// softmax, without dropout) over a batch of sequences of one length, on one thread, with the scan in four forms.
struct ScanBench: Encodable, Sendable {
    /// One length.
    struct Row: Encodable, Sendable {
        /// Events of each sequence.
        let length: Int
        /// With padding: a power of two.
        let paddedLength: Int
        /// Sequences of the batch.
        let sequences: Int
        /// Milliseconds of processor time a batch, by form: medians over the rounds.
        let milliseconds: [String: Double]
        /// Time beside the packed form's, by form: medians of the rounds' ratios.
        let ratios: [String: Double]
    }

    /// On what.
    let machine: Machine
    /// In the order asked for.
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
            ($0, ScanBatch($0, ModelConfiguration(itemCount: 1), length: length, sequences: sequences))
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

/// One batch and the layers it goes through. Equal weights and events whatever the form.
final class ScanBatch {
    let mixers: [RecurrentMixer]
    let stack: LayerStack
    let input, gradient: Tensor
    private let eventGradient: [Float]
    private let padding: RightPadding
    private let memory: BenchMemory

    init(_ form: ScanForm, _ shape: ModelConfiguration, length: Int, sequences: Int) {
        let memory = BenchMemory(CPUBackend())
        let width = shape.hiddenSize
        let events = memory.tensor(sequences * length, width)
        let eventGradient = memory.tensor(sequences * length, width, scale: 1e-2)
        padding = RightPadding(
            sequences: sequences, from: length,
            to: form == .sequencePadding ? powerOfTwo(atLeast: length) : length)
        let rows = sequences * padding.to
        var mixers: [RecurrentMixer] = []
        stack = LayerStack(rows: rows, width: width, layers: shape.layerCount, training: true, memory: memory) {
            mixers.append(
                RecurrentMixer(
                    sequences: sequences, length: rows / sequences, width: width, expansion: shape.expansion,
                    taps: shape.convolutionWidth, form: form, memory: memory))
            return mixers.last!
        }
        self.mixers = mixers
        input = padding.isNone ? events : memory.zeros(rows, width)
        gradient = memory.zeros(rows, width)
        padding.spread(events, to: input, memory.backend)
        self.eventGradient = memory.backend.download(eventGradient)
        self.memory = memory
    }

    /// Forward and backward; `gradient` then holds that of the input.
    func run() {
        _ = stack.forward(input)
        let width = input.columns
        eventGradient.withUnsafeBufferPointer { values in
            for s in 0..<padding.sequences {
                let row = gradient.base + s * padding.to * width
                row.update(from: values.baseAddress! + s * padding.from * width, count: padding.from * width)
                (row + padding.from * width).update(repeating: 0, count: (padding.to - padding.from) * width)
            }
        }
        stack.backward(gradient, input: input)
    }

    /// Rows of events without padding.
    func events(_ rows: Tensor) -> [Float] {
        (0..<padding.sequences).flatMap { s in
            memory.backend.download(rows.rows(s * padding.to..<s * padding.to + padding.from))
        }
    }
}
