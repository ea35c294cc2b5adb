import Interactions
import Models
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
    var targets: Int { objective == .everyPosition ? inputs.count : 1 }
}

/// The batches of one epoch: a function of data, options and the epoch's number, so that a run can go on anywhere.
struct BatchPlan: Sendable {
    let segments: [Segment]
    /// Ranges of `segments`, one a step.
    let batches: [Range<Int>]
    /// For each segment the number of its first token within its batch.
    let firstTokens: [Int32]

    init(_ dataset: Dataset, _ split: Split, _ options: TrainingOptions, epoch: Int) {
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
        self.segments = segments
        batches = Self.fill(segments, options.batchTokens)
        firstTokens = batches.flatMap { batch in
            var next: Int32 = 0
            return batch.map { index in
                defer { next += Int32(segments[index].tokens) }
                return next
            }
        }
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

    /// Deals a batch to replicas: longest segment first, each to the replica with the least so far. Lists of positions in
    /// `segments`, ascending.
    func deal(_ batch: Range<Int>, to replicas: Int) -> [[Int]] {
        var shares = [[Int]](repeating: [], count: replicas)
        var loads = [Int](repeating: 0, count: replicas)
        for index in batch.sorted(by: { (segments[$1].tokens, $0) < (segments[$0].tokens, $1) }) {
            let lightest = loads.indices.min { (loads[$0], $0) < (loads[$1], $1) }!
            shares[lightest].append(index)
            loads[lightest] += segments[index].tokens
        }
        return shares.map { $0.sorted() }
    }

    /// Cuts a replica's list into pieces that go through the model one after the other. A segment longer than a piece is
    /// one alone, which is learnt in chunks of that size.
    func pieces(_ positions: [Int], of pieceTokens: Int) -> [ArraySlice<Int>] {
        var pieces: [ArraySlice<Int>] = []
        var (start, tokens) = (0, 0)
        for index in positions.indices {
            let own = segments[positions[index]].tokens
            if tokens + own > pieceTokens, index > start {
                pieces.append(positions[start..<index])
                (start, tokens) = (index, 0)
            }
            tokens += own
        }
        return start < positions.count ? pieces + [positions[start...]] : pieces
    }

    /// Measured on a CPU at 4,096 tokens a step, D = 64: 123,000 tokens/s with pieces of 512, 127,000 of 256, 119,000 without.
    /// What they save for certain is memory: 13 KB a token. A device that has a queue wants few large pieces.
    static func pieceTokens(on backend: any Backend) -> Int { backend.isQueued ? 1 << 16 : 512 }
}

/// What one replica learns from in one pass.
struct Share: Sendable {
    var batch = PackedBatch()
    var targets = Targets(rows: nil, items: [])
    /// Number of each token within the whole batch.
    var tokenNumbers: [Int32] = []
    /// What is minimised, with this share's own negatives.
    var loss = Loss.full

    /// - Parameter window: how many events a repeat-aware head looks back at, which may lie before a segment; else 0.
    init(_ positions: ArraySlice<Int>, of plan: BatchPlan, _ dataset: Dataset, window: Int) {
        var rows: [Int32] = []
        for position in positions {
            let segment = plan.segments[position]
            let start = segment.inputs.lowerBound
            let first = max(0, start - max(0, window - 1))
            let history = dataset.sequence(ofUser: segment.user, first..<segment.inputs.upperBound + 1)
            let events = history[(start - first)...]
            batch.append(events.dropLast(), after: history[..<(start - first)])
            let number = plan.firstTokens[position]
            tokenNumbers.append(contentsOf: (0..<Int32(segment.tokens)).map { number + $0 })
            switch segment.objective {
            case .everyPosition: targets.items.append(contentsOf: events.dropFirst())
            case .lastPosition:
                targets.items.append(events.last!)
                rows.append(Int32(batch.tokenCount - 1))
            }
        }
        if targets.items.count < batch.tokenCount { targets.rows = rows }
    }

    /// Targets that are not padding.
    var targetCount: Int { targets.items.count(where: { $0 != 0 }) }
    /// Events that are not padding.
    var tokenCount: Int { batch.tokenCount - batch.paddingCount }

    /// Makes it as large as others like it: whole multiples of `tokens`, powers of two of sequences and of rows that have a
    /// target.
    mutating func pad(toMultipleOf tokens: Int, itemCount: Int) {
        let (events, targetCount) = (batch.tokenCount, targets.items.count)
        let rest = targets.rows == nil ? 0 : Self.powerOfTwo(atLeast: targetCount) - targetCount
        let size = (events + rest + tokens - 1) / tokens * tokens
        let sequences = Self.powerOfTwo(atLeast: max(32, batch.sequenceCount + 1))
        batch.pad(tokens: size, sequences: sequences, itemCount: itemCount)
        tokenNumbers += (0..<Int32(batch.paddingCount)).map { Int32(events) + $0 }
        targets.rows? += (0..<Int32(rest)).map { Int32(events) + $0 }
        targets.items += [Int32](repeating: 0, count: targets.rows == nil ? batch.paddingCount : rest)
    }

    /// The most that ``pad(toMultipleOf:itemCount:)`` makes of shares of so many events and sequences.
    static func paddedSize(tokens: Int, sequences: Int, multiple: Int) -> (tokens: Int, sequences: Int) {
        ((tokens + sequences + multiple - 1) / multiple * multiple, powerOfTwo(atLeast: max(32, sequences + 1)))
    }

    private static func powerOfTwo(atLeast count: Int) -> Int {
        count <= 1 ? 1 : 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
    }
}
