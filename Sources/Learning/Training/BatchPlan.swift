import Interactions
import Layers
import Tensors

/// What a run draws random numbers for, beside its weights and its dropout.
enum RandomStream: UInt64 {
    /// Cuts and order of an epoch.
    case batches = 1
    /// Negatives of a step.
    case negatives
}

/// A piece of one user's training events that is learnt from at once.
struct Segment: Sendable, Equatable {
    let user: Int
    /// Positions of the events that go in.
    let inputs: Range<Int>
    /// Whether every input predicts the event after it, or the last one only.
    let objective: TrainingOptions.Objective

    var tokens: Int { inputs.count }
}

/// The batches of one epoch, partitioned among the replicas: a function of data, options and the epoch's number, so that a run can go on
/// anywhere.
struct BatchPlan: Sendable {
    /// One step's segments, as positions in `segments`: for each replica the micro-batches that go through its workspace one after
    /// the other. A segment longer than a micro-batch is one alone, which is learnt in chunks of that size.
    typealias Partition = [[ArraySlice<Int>]]

    let segments: [Segment]
    /// One a step.
    let steps: [Partition]
    /// For each segment the number of its first token within its batch.
    let firstTokens: [Int32]

    /// `microBatchTokens` is the most of a replica's pass.
    init(
        _ dataset: Dataset, _ split: Split, _ options: TrainingOptions, epoch: Int, replicas: Int,
        microBatchTokens: Int
    ) {
        var generator = SeededGenerator(
            seed: options.seed, stream: RandomStream.batches.rawValue, UInt64(epoch))
        var segments: [Segment] = []
        for user in 0..<dataset.userCount where split.trainingEnd[user] >= 2 {
            switch options.objective {
            case .everyPosition:
                Self.cut(user, split.trainingEnd[user] - 1, options.maximumLength, &generator, &segments)
            case .lastPosition:
                for target in 1..<split.trainingEnd[user] {
                    let inputs = max(0, target - options.maximumLength)..<target
                    segments.append(Segment(user: user, inputs: inputs, objective: .lastPosition))
                }
            }
        }
        segments.shuffle(using: &generator)
        let batches = Self.fill(segments, options.batchTokens)
        steps = batches.map { batch in
            Self.partition(batch, of: segments, among: replicas).map {
                Self.microBatches($0, of: segments, tokens: microBatchTokens)
            }
        }
        firstTokens = batches.flatMap { batch in
            var next: Int32 = 0
            return batch.map { index in
                defer { next += Int32(segments[index].tokens) }
                return next
            }
        }
        self.segments = segments
    }

    /// Cuts `count` inputs into pieces of at most `longest`, the first cut at random.
    private static func cut(
        _ user: Int, _ count: Int, _ longest: Int, _ generator: inout SeededGenerator, _ segments: inout [Segment]
    ) {
        var start = 0
        var end = count <= longest ? count : Int.random(in: 1...longest, using: &generator)
        while start < count {
            segments.append(Segment(user: user, inputs: start..<end, objective: .everyPosition))
            start = end
            end = min(count, start + longest)
        }
    }

    /// Consecutive segments up to `budget` tokens, at least one a batch.
    private static func fill(_ segments: [Segment], _ budget: Int) -> [Range<Int>] {
        var batches: [Range<Int>] = []
        var (start, tokens) = (0, 0)
        for index in segments.indices {
            if tokens + segments[index].tokens > budget, index > start {
                batches.append(start..<index)
                (start, tokens) = (index, 0)
            }
            tokens += segments[index].tokens
        }
        return start < segments.count ? batches + [start..<segments.count] : batches
    }

    /// Partitions a batch among replicas: longest segment first, each to the replica with the least so far. Positions are ascending.
    private static func partition(_ batch: Range<Int>, of segments: [Segment], among replicas: Int) -> [[Int]] {
        var parts = [[Int]](repeating: [], count: replicas)
        var loads = [Int](repeating: 0, count: replicas)
        for index in batch.sorted(by: { (segments[$1].tokens, $0) < (segments[$0].tokens, $1) }) {
            let lightest = loads.indices.min { (loads[$0], $0) < (loads[$1], $1) }!
            parts[lightest].append(index)
            loads[lightest] += segments[index].tokens
        }
        return parts.map { $0.sorted() }
    }

    private static func microBatches(
        _ positions: [Int], of segments: [Segment], tokens most: Int
    ) -> [ArraySlice<Int>] {
        var microBatches: [ArraySlice<Int>] = []
        var (start, tokens) = (0, 0)
        for index in positions.indices {
            let own = segments[positions[index]].tokens
            if tokens + own > most, index > start {
                microBatches.append(positions[start..<index])
                (start, tokens) = (index, 0)
            }
            tokens += own
        }
        return start < positions.count ? microBatches + [positions[start...]] : microBatches
    }

    /// Measured on a CPU at 4,096 tokens a step, D = 64: 123,000 tokens/s with micro-batches of 512, 127,000 of 256, 119,000 without.
    /// What they save for certain is memory: 13 KB a token. A device that has a queue wants few large ones.
    static func microBatchTokens(on backend: any Backend) -> Int { backend.isQueued ? 1 << 16 : 512 }

    /// Tokens of the largest micro-batch, at least 1; one that is a single segment may be longer than is asked for.
    var largestTokens: Int {
        steps.joined().joined().map { $0.reduce(0) { $0 + segments[$1].tokens } }.max() ?? 1
    }
    /// Sequences of the micro-batch that has the most, at least 1.
    var largestSequences: Int { max(1, steps.joined().joined().map(\.count).max() ?? 1) }
}
