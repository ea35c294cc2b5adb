import CPUBackend
import Identifiers
import Layers
import Models
import Tensors

/// The paper's Figure 4 on this machine: time and memory of one sequence against its length, on one thread. RecBLR's model
/// (with a catalogue of 64 items, so that the softmax costs little) beside the same model with self-attention over the whole
/// sequence in the place of the recurrence. No dropout.
struct LengthBench: Encodable, Sendable {
    /// The cost of one pass.
    struct Cost: Encodable, Sendable {
        /// Median of the thread's processor time, per token.
        let nanoseconds: Double
        /// Peak of the pass's memory in bytes, exactly, without weights and gradients.
        let bytes: Int
    }
    /// One length.
    struct Row: Encodable, Sendable {
        /// Events.
        let length: Int
        /// Hidden vectors at all positions; the same, the loss and all gradients.
        let forward, training: Cost
        /// The same with attention.
        let attentionForward, attentionTraining: Cost
    }

    /// The machine.
    let machine: Machine
    /// One entry for each length, in the given order.
    let rows: [Row]

    /// 100, 200, 400 ... 25,600.
    static let lengths = (0...8).map { 100 << $0 }

    /// Measures every length.
    init(lengths: [Int] = Self.lengths) {
        machine = Machine()
        let recurrent = Self.model(.bdlru)
        rows = lengths.map { length in
            let attention = Self.model(.attention, window: length)
            return Row(
                length: length, forward: Self.forward(recurrent, length), training: Self.training(recurrent, length),
                attentionForward: Self.forward(attention, length),
                attentionTraining: Self.training(attention, length))
        }
    }

    /// Not checked: a window as long as the longest sequence is not a sensible shape for training.
    private static func model(_ mixer: ModelConfiguration.Mixer, window: Int = 2) -> SequenceModel {
        var shape = ModelConfiguration(itemCount: 64)
        (shape.mixer, shape.attentionWindow) = (mixer, window)
        let model = SequenceModel(zerosFor: shape, on: CPUBackend())
        model.backend.upload(model.network.layout.initialValues(seed: 1), to: model.weights.flat)
        return model
    }

    private static func forward(_ model: SequenceModel, _ length: Int) -> Cost {
        let batch = batch(length)
        return cost(length) {
            let encoder = SequenceEncoder(model, tokens: length, sequences: 1)
            return { _ = try! encoder.hidden(atAllPositionsOf: batch) }
        }
    }

    private static func training(_ model: SequenceModel, _ length: Int) -> Cost {
        let gradients = model.makeGradients()
        let sequences = batch(length)
        let batch = TrainingBatch(sequences, targets: sequences.items)
        return cost(length) {
            let learner = Learner(model, tokens: length, sequences: 1)
            return { _ = learner.learn(batch, scale: 1e-3, into: gradients) }
        }
    }

    /// Times what `prepare` returns, and measures the memory of both.
    private static func cost(_ length: Int, _ prepare: () -> () -> Void) -> Cost {
        let before = HostMemory.bytesInUse
        HostMemory.resetPeak()
        let pass = prepare()
        let time = medianThreadTime(for: 0.3, pass)
        return Cost(nanoseconds: time * 1e9 / Double(length), bytes: HostMemory.peakBytes - before)
    }

    private static func batch(_ length: Int) -> PackedBatch {
        PackedBatch([(0..<length).map { ItemID(row: $0 * 7 % 64) }])
    }
}
