import Identifiers
import Interactions
import Layers
import Models
import Tensors

/// Builds the training batches of a step, complete with targets and negatives.
struct BatchAssembler {
    let dataset: Dataset
    let options: TrainingOptions
    /// Draws negatives; nil with the full loss.
    let sampler: NegativeSampler?
    /// Draws those of the sampled loss on a device; nil where the host does.
    var sampling: (any RowSampling)?
    /// How many of the last events a repeat-aware head uses, which may lie before a segment; 0 without such a head.
    let repeatWindow: Int
    /// Whether the model uses times, which the dataset then has.
    var usesTime = false
    let microBatchTokens: Int
    /// Whether batches are padded, so that shapes repeat from step to step and a device can reuse its recorded graphs.
    let pads: Bool

    /// The micro-batches of each replica. `step` is the number of the step within the run.
    func batches(_ plan: BatchPlan, _ partition: BatchPlan.Partition, step: Int) -> [[TrainingBatch]] {
        var generator = SeededGenerator(
            seed: options.seed, stream: RandomStream.negatives.rawValue, UInt64(step))
        return partition.map { microBatches in
            microBatches.map { positions in
                var batch = batch(plan, positions, step)
                // A longer batch is a single sequence, which is processed in chunks.
                if pads, batch.tokenCount <= microBatchTokens { pad(&batch) }
                batch.negatives = negatives(batch, &generator)
                return batch
            }
        }
    }

    private func batch(_ plan: BatchPlan, _ positions: ArraySlice<Int>, _ step: Int) -> TrainingBatch {
        var (sequences, rows, targets, tokenNumbers) = (PackedBatch(), [Int32](), [ItemID](), [Int32]())
        for position in positions {
            let segment = plan.segments[position]
            let start = segment.inputs.lowerBound
            let first = max(0, start - max(0, repeatWindow - 1))
            let history = dataset.sequence(ofUser: segment.user, first..<segment.inputs.upperBound + 1)
            let events = history[(start - first)...]
            sequences.append(
                events.dropLast(), after: history[..<(start - first)],
                times: usesTime ? times(of: segment, plan.firstTokens[position], step) : [])
            tokenNumbers += (0..<Int32(segment.tokens)).map { plan.firstTokens[position] + $0 }
            switch segment.objective {
            case .everyPosition: targets += events.dropFirst()
            case .lastPosition:
                targets.append(events.last!)
                rows.append(Int32(sequences.tokenCount - 1))
            }
        }
        var batch = TrainingBatch(
            sequences, targetRows: targets.count < sequences.tokenCount ? rows : nil, targets: targets)
        batch.tokenNumbers = tokenNumbers
        return batch
    }

    /// The times of a segment's events. A random half is asked at the time of the target, the other at the event's own, so that one model learns to answer
    /// with and without the request's time. Which, depends on the event's number in the step alone, as dropout does.
    private func times(of segment: Segment, _ firstToken: Int32, _ step: Int) -> [EventTime] {
        let inputs = segment.inputs
        let first = max(0, inputs.lowerBound - 1)
        let known = dataset.timestamps(ofUser: segment.user, first..<inputs.upperBound + 1) ?? []
        let all = EventTime.history(known)
        return inputs.enumerated().map { offset, position in
            var time = all[position - first]
            var random = SeededGenerator(
                seed: options.seed, stream: RandomStream.questions.rawValue, UInt64(step),
                UInt64(firstToken) + UInt64(offset))
            if Bool.random(using: &random) { time.question = all[position - first + 1].event }
            return time
        }
    }

    /// Pads to a multiple of a number of tokens and to powers of two of sequences and of rows with a target.
    private func pad(_ batch: inout TrainingBatch) {
        let rows = batch.targetRows == nil ? 0 : powerOfTwo(atLeast: batch.targets.count)
        let size = padded(
            tokens: batch.tokenCount + max(0, rows - batch.targets.count), sequences: batch.sequences.sequenceCount)
        batch.pad(tokens: size.tokens, sequences: size.sequences, targetRows: rows, itemCount: dataset.itemCount)
    }

    private func padded(tokens: Int, sequences: Int) -> (tokens: Int, sequences: Int) {
        let multiple = min(options.batchTokens, microBatchTokens)
        return ((tokens + multiple - 1) / multiple * multiple, powerOfTwo(atLeast: max(32, sequences + 1)))
    }

    /// The size of a workspace for every batch of a plan. Segments longer than a micro-batch are processed in chunks.
    func capacity(for plan: BatchPlan) -> (tokens: Int, sequences: Int) {
        let tokens = max(1, min(plan.largestTokens, microBatchTokens))
        let sequences = plan.largestSequences
        // Padding may add a target to as many rows as there are sequences.
        return pads ? padded(tokens: tokens + sequences, sequences: sequences) : (tokens, sequences)
    }

    /// New negatives, where the loss has any: enough for a micro-batch; chunks of a longer segment reuse them.
    private func negatives(_ batch: TrainingBatch, _ generator: inout SeededGenerator) -> Negatives {
        switch options.loss {
        case .full: return .all
        case .sampled:
            let size = Negatives.targetsPerSample
            let samples = min((batch.targets.count + size - 1) / size, microBatchTokens / size)
            let firsts = (0..<samples).map { _ in generator.uniform() }
            guard let sampling else {
                let rows = sampler!.popular(firsts: firsts, threads: options.threads)
                return .shared(samples: rows, logQ: sampler!.logQ)
            }
            let items = batch.sequences.items.enumerated().map { $0 < batch.tokenCount ? Int32($1.row) : -1 }
            return .drawn(DrawnNegatives(firsts: firsts, items: items, sampling: sampling))
        case .bpr: return .paired(sampler!.uniform(otherThan: batch.targets, using: &generator))
        }
    }
}
