import CUDABackend
import Foundation
import Identifiers
import Interactions
import Models
import Operations
import Tensors
import Training

/// Measurements on a GPU: the scan against a copy, training, ranking of a large catalogue, and cost against length. Times of single
/// operations are medians of the device's time; those of training and ranking are wall-clock times.
struct GPUBench: Encodable, Sendable {
    /// One direction of the gated scan.
    struct Scan: Encodable, Sendable {
        /// "sequences x events x channels".
        let shape: String
        /// "forward" or "backward".
        let direction: String
        /// How fast states decay.
        let decays: Decays
        /// Median of the device's time.
        let seconds: Double
        /// The bytes that must at least be read and written.
        let bytes: Int
        /// Bytes per second as a fraction of a copy's in this run.
        let shareOfCopy: Double
    }
    /// Decay factors, on which it depends how far back a scan's blocks have to look: in sequences that are long enough states last from
    /// one group of blocks to the next where decay is slow, and not where it is fast.
    enum Decays: String, Encodable, CaseIterable, Sendable {
        /// As in trained models: each channel's smallest is one of these.
        case slow = "0.9 to 0.999"
        case fast = "around 0.7"

        var numbers: Operations.Scan.Numbers {
            switch self {
            case .slow: .ordinary
            case .fast: .forgetful
            }
        }
    }
    /// Training with one precision and step size.
    struct Rate: Encodable, Sendable {
        /// Precision of matrix products.
        let precision: String
        /// Events of a step's batch.
        let tokensAStep: Int
        /// Rate of the second epoch.
        let tokensPerSecond: Double
        /// Seconds of the second epoch over data of the size of MovieLens-1M, with the paper's model (without the repeat-aware head).
        let epochSeconds: Double
    }
    /// The ten best of all items, for many users at once.
    struct TopK: Encodable, Sendable {
        /// Rows of the table, and number of hidden vectors.
        let items, users: Int
        /// Median of the time until the lists are in the host's memory.
        let seconds: Double
    }
    /// Forward and backward of one sequence.
    struct Length: Encodable, Sendable {
        /// Events; peak of the device's memory of a pass, in bytes, without weights and gradients.
        let tokens, bytes: Int
        /// Median time.
        let seconds: Double
    }
    /// The sizes of the measurements.
    struct Sizes: Sendable {
        var copyBytes = 1 << 30
        var scans = [(sequences: 2048, length: 200), (sequences: 1, length: 1_000_000)]
        var channels = 128
        var users = 6_040
        var meanLength = 165
        var items = 3_416
        var tokens = [1024, 4096]
        var precisions = [Precision.tf32, .bfloat16]
        var catalogue = 1_000_000
        var queries = 256
        var lengths = (0...10).map { 100 << $0 }
        var runs = 20

        /// The sizes of the published figures.
        static let full = Sizes()
        /// Small sizes, for tests.
        static let tiny = Sizes(
            copyBytes: 1 << 16, scans: [(7, 9), (1, 300)], channels: 16, users: 8, meanLength: 30, items: 20,
            tokens: [64], precisions: [.tf32], catalogue: 3000, queries: 3, lengths: [20, 40], runs: 2)
    }

    /// Name of the device.
    let device: String
    /// Bytes read and written per second by a copy within the device's memory.
    let copyGigabytesPerSecond: Double
    /// Many sequences and a single long one, in both directions.
    let scans: [Scan]
    /// Each precision with each size of step.
    let training: [Rate]
    /// Of a large catalogue.
    let topK: TopK
    /// As in the paper's Figure 4.
    let lengths: [Length]

    /// Measures everything; a minute or two.
    init(_ backend: CUDABackend, _ sizes: Sizes = .full) throws {
        let copyRate = Self.copyRate(backend, sizes)
        device = backend.device.name
        copyGigabytesPerSecond = copyRate / 1e9
        scans = sizes.scans.flatMap { shape in
            Self.scans(backend, shape.sequences, shape.length, sizes, copyRate)
        }
        let data = syntheticDataset(users: sizes.users, meanLength: sizes.meanLength, items: sizes.items)
        var rates: [Rate] = []
        for precision in sizes.precisions {
            for tokens in sizes.tokens { rates.append(try Self.training(backend.with(precision), data, tokens)) }
        }
        training = rates
        topK = Self.topK(backend, sizes)
        let model = try SequenceModel(initializing: ModelConfiguration(itemCount: 64), seed: 1, on: backend)
        lengths = sizes.lengths.map { Self.length(backend, model, $0, sizes.runs) }
        if let failure = backend.failure { throw TrainingError.device(failure) }
    }

    static func scans(
        _ backend: CUDABackend, _ sequences: Int, _ length: Int, _ sizes: Sizes, _ copyRate: Double
    ) -> [Scan] {
        Decays.allCases.flatMap { decays in
            let scan = Operations.Scan(
                rows: sequences * length, columns: sizes.channels, division: .equal(sequences, of: length),
                numbers: decays.numbers)
            return [("forward", scan.forward), ("backward", scan.backward)].map { direction, operation in
                let arguments = Arguments(measuring: backend)
                let seconds = medianDeviceTime(backend, sizes.runs, operation.prepare(arguments))
                return Scan(
                    shape: "\(sequences) x \(length) x \(sizes.channels)", direction: direction, decays: decays,
                    seconds: seconds, bytes: arguments.bytes,
                    shareOfCopy: Double(arguments.bytes) / seconds / copyRate)
            }
        }
    }

    private static func copyRate(_ backend: CUDABackend, _ sizes: Sizes) -> Double {
        let (from, to) = (backend.allocate(sizes.copyBytes / 4), backend.allocate(sizes.copyBytes / 4))
        let time = medianDeviceTime(backend, sizes.runs) { backend.copy(from.tensor, to: to.tensor) }
        return Double(2 * sizes.copyBytes) / time
    }

    /// Measures the second of two epochs: the first records graphs.
    private static func training(_ backend: CUDABackend, _ data: Dataset, _ tokens: Int) throws -> Rate {
        var options = TrainingOptions()
        (options.epochs, options.batchTokens, options.threads) = (2, tokens, 1)
        let split = Split(
            trainingEnd: (0..<data.userCount).map { data.length(ofUser: $0) }, validation: [], test: [])
        var rate = 0.0
        let shape = ModelConfiguration(itemCount: data.itemCount)
        _ = try Trainer(data, split, shape, options, backend: backend).run(report: { event in
            if case .epoch(let record) = event { rate = record.tokensPerSecond }
        })
        let events = (0..<data.userCount).reduce(0) { $0 + data.length(ofUser: $1) - 1 }
        return Rate(
            precision: backend.precision.rawValue, tokensAStep: tokens, tokensPerSecond: rate,
            epochSeconds: Double(events) / rate)
    }

    private static func topK(_ backend: CUDABackend, _ sizes: Sizes) -> TopK {
        let arguments = Arguments(measuring: backend)
        let (hidden, table) = (
            arguments.input("hidden", sizes.queries, 64), arguments.input("table", sizes.catalogue, 64)
        )
        let candidates = [Candidates](repeating: .allExcept([]), count: sizes.queries)
        let time = medianTime(of: sizes.runs) { _ in
            _ = backend.topK(hidden, table: table, k: 10, candidates: candidates)
        }
        return TopK(items: sizes.catalogue, users: sizes.queries, seconds: time)
    }

    private static func length(_ backend: CUDABackend, _ model: SequenceModel, _ tokens: Int, _ runs: Int) -> Length {
        let gradients = model.makeGradients()
        let sequences = PackedBatch([(0..<tokens).map { ItemID(row: $0 * 7 % 64) }])
        let batch = TrainingBatch(sequences, targets: sequences.items)
        var time = 0.0
        let bytes = backend.peakBytes {
            let learner = Learner(model, tokens: tokens, sequences: 1)
            time = medianTime(of: runs) { _ in _ = learner.learn(batch, scale: 1e-3, into: gradients) }
        }
        return Length(tokens: tokens, bytes: bytes, seconds: time)
    }
}

/// Median of the device's seconds for one call of `body`, taken as `median_seconds` of peers/gpu_peers.py takes PyTorch's.
///
/// Several calls lie between two events, and before the first event one more, of which the device is busy while those are queued:
/// the time that the host takes to start something does not count.
func medianDeviceTime(_ backend: CUDABackend, _ runs: Int, _ body: () -> Void) -> Double {
    let calls = 5
    body()
    return median(
        (0..<runs).map { _ in
            body()
            return backend.deviceSeconds { for _ in 0..<calls { body() } } / Double(calls)
        })
}
