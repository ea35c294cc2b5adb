import CPUBackend
import Identifiers
import Models
import Tensors

/// The paper's Figure 4 on this machine: time and memory of one sequence against its length, on one thread. RecBLR's model
/// (with a catalogue of 64 items, so that the softmax does not weigh) beside as many layers of the same width in which
/// self-attention stands in the place of the recurrence. No dropout.
struct LengthBench: Encodable, Sendable {
    /// What one pass costs.
    struct Cost: Encodable, Sendable {
        /// Median of the thread's processor time, per token.
        let nanoseconds: Double
        /// All that the pass keeps and needs at once beyond the weights and their gradients, exactly.
        let bytes: Int
    }
    /// One length; nil where memory or time would be out of hand.
    struct Row: Encodable, Sendable {
        /// Events.
        let length: Int
        /// Hidden vectors at all positions; the same and all gradients.
        let forward, training: Cost
        /// The same of the attention layers.
        let attentionForward, attentionTraining: Cost?
    }

    /// On what.
    let machine: Machine
    /// In the order asked for.
    let rows: [Row]

    /// 100, 200, 400 ... 25,600.
    static let lengths = (0...8).map { 100 << $0 }
    /// Attention is left out where its scores alone would need more bytes.
    static let memoryLimit = 2_000_000_000

    /// Measures every length.
    init(lengths: [Int] = Self.lengths) throws {
        machine = Machine()
        let shape = ModelConfiguration(itemCount: 64)
        let model = try SequenceModel(initializing: shape, seed: 1, on: CPUBackend())
        rows = lengths.map { length in
            func attention(training: Bool) -> Cost? {
                let scores = (training ? shape.layerCount + 1 : 1) * length * length * 4
                guard scores <= Self.memoryLimit else { return nil }
                return Self.attention(shape, length, training: training)
            }
            return Row(
                length: length, forward: Self.forward(model, length), training: Self.training(model, length),
                attentionForward: attention(training: false), attentionTraining: attention(training: true))
        }
    }

    private static func forward(_ model: SequenceModel, _ length: Int) -> Cost {
        let batch = batch(length)
        return cost(length) {
            let encoder = Encoder(model, tokens: length, sequences: 1)
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

    private static func attention(_ shape: ModelConfiguration, _ length: Int, training: Bool) -> Cost {
        cost(length) {
            let memory = BenchMemory(CPUBackend())
            let width = shape.hiddenSize
            let gradients = training ? AttentionMixer.Gradients(length, width, memory) : nil
            let stack = LayerStack(
                rows: length, width: width, layers: shape.layerCount, training: training, memory: memory
            ) {
                AttentionMixer(rows: length, width: width, gradients: gradients, memory: memory)
            }
            let (input, gradient) = (memory.tensor(length, width), memory.tensor(length, width))
            return {
                _ = stack.forward(input)
                if training { stack.backward(gradient, input: input) }
            }
        }
    }

    /// Times what `prepare` makes, and counts the memory of both.
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
