import CPUBackend
import Dispatch
import Identifiers
import Models
import Tensors

/// What serving asks of the processor beside its limits: the ten best items of a catalogue, exactly, for some users at a time, and the
/// passes that move states.
struct RankingBench: Encodable, Sendable {
    /// The machine.
    let machine: Machine
    /// FLOP/s of the library's best float32 product (sgemm), and of the best product whose sums have one order, on one thread.
    let libraryPeak, orderedPeak: Double
    /// One for each catalogue, pass and number of users.
    let rankings: [Ranking]
    /// All threads at once, each with batches of 32 users of the largest catalogue.
    let load: Load
    /// With the library's products, then with those whose sums have one order.
    let passes: [Passes]

    /// Ranking on one thread; processor time.
    struct Ranking: Encodable, Sendable {
        /// Rows of the table, and its columns.
        let items, width: Int
        /// Vectors ranked together.
        let users: Int
        /// What the first pass over the table rounds to; results are those of float32.
        let precision: String
        /// Seconds for all of them.
        let seconds: Double
        /// FLOP/s of the scores over those of the library's best product.
        let shareOfPeak: Double
        /// Bytes of the packed table read a second.
        let bytesPerSecond: Double
    }

    /// Threads that rank batch after batch.
    struct Load: Encodable, Sendable {
        /// Number of threads, and users a batch.
        let threads, users: Int
        /// Users a second on all threads together.
        let usersPerSecond: Double
        /// Nine in ten batches took at most this many seconds, by the clock.
        let batchSeconds90: Double
    }

    /// Inference of the default model; processor time.
    struct Passes: Encodable, Sendable {
        /// Name of the backend.
        let backend: String
        /// One user's state moved by one event.
        let stepSeconds: Double
        /// Events a second in passes of 32 events of 32 users, and of 512 events of 8 users.
        let eventsPerSecond32, eventsPerSecond512: Double
    }

    /// `items` are the sizes of the catalogues; the last is the largest.
    init(items: [Int], users: [Int], threads: Int, budget: Double) throws {
        machine = Machine()
        let peak = Limits(CPUBackend()).productPeak
        libraryPeak = peak
        orderedPeak = Limits(CPUBackend(products: .rowIndependent)).productPeak
        let width = ModelConfiguration(itemCount: 1).hiddenSize
        var rankings: [Ranking] = []
        var load: Load?
        for count in items {
            let table = randomTensor(count, width, seed: 1)
            for precision in [Precision.float32, .bfloat16] where precision.isAvailable {
                let timer = RankingTimer(table, precision)
                rankings += users.map { timer.measure(users: $0, budget: budget, peak: peak) }
                if count == items.last { load = timer.load(threads: threads, users: 32, budget: 4 * budget) }
            }
        }
        (self.rankings, self.load) = (rankings, load!)
        passes = try [CPUBackend(), CPUBackend(products: .rowIndependent)].map { try Self.passes(on: $0, budget) }
    }

    private static func passes(on backend: CPUBackend, _ budget: Double) throws -> Passes {
        let shape = ModelConfiguration(itemCount: 3416)
        let model = try SequenceModel(initializing: shape, seed: 1, on: CPUBackend()).on(backend)
        func rate(_ users: Int, _ events: Int) throws -> Double {
            let encoder = SequenceEncoder(model, tokens: users * events, sequences: users)
            var states = (0..<users).map { _ in model.initialState() }
            let batch = PackedBatch(
                (0..<users).map { user in (0..<events).map { ItemID(row: (user * 31 + $0 * 17) % 3416) } })
            return Double(users * events)
                / medianThreadTime(for: budget) { _ = try! encoder.hidden(advancing: &states, by: batch) }
        }
        return Passes(
            backend: backend.name, stepSeconds: 1 / (try rate(1, 1)), eventsPerSecond32: try rate(32, 1),
            eventsPerSecond512: try rate(8, 64))
    }
}

/// A table that is ranked, and vectors.
private struct RankingTimer: Sendable {
    private let table: Tensor
    private let precision: Precision
    private let ranked: any RankedTable
    private let bytes: Int

    init(_ table: Tensor, _ precision: Precision) {
        (self.table, self.precision) = (table, precision)
        let before = HostMemory.bytesInUse
        ranked = CPUBackend().ranked(table, precision: precision)
        bytes = HostMemory.bytesInUse - before
    }

    func measure(users: Int, budget: Double, peak: Double) -> RankingBench.Ranking {
        let hidden = randomTensor(users, table.columns, seed: 2)
        let choices = [RowChoice](repeating: RowChoice(10), count: users)
        let time = medianThreadTime(for: budget) { _ = ranked.best(hidden, bias: nil, choices: choices) }
        let flops = Double(2 * users * table.rows * table.columns)
        return RankingBench.Ranking(
            items: table.rows, width: table.columns, users: users, precision: precision.rawValue, seconds: time,
            shareOfPeak: flops / time / peak, bytesPerSecond: Double(bytes) / time)
    }

    func load(threads: Int, users: Int, budget: Double) -> RankingBench.Load {
        let batches = max(3, Int(budget / measure(users: users, budget: 0, peak: 1).seconds))
        let times = allocateHost(threads * batches, of: Double.self)
        let start = ContinuousClock.now
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            let hidden = randomTensor(users, table.columns, seed: UInt64(3 + thread))
            let choices = [RowChoice](repeating: RowChoice(10), count: users)
            for batch in 0..<batches {
                let start = ContinuousClock.now
                _ = ranked.best(hidden, bias: nil, choices: choices)
                times.base[thread * batches + batch] = seconds(since: start)
            }
        }
        let rate = Double(threads * batches * users) / seconds(since: start)
        let sorted = UnsafeBufferPointer(start: times.base, count: times.count).sorted()
        return RankingBench.Load(
            threads: threads, users: users, usersPerSecond: rate, batchSeconds90: sorted[sorted.count * 9 / 10])
    }
}

/// Normally distributed numbers.
private func randomTensor(_ rows: Int, _ columns: Int, seed: UInt64) -> Tensor {
    var generator = SeededGenerator(seed: seed)
    let storage = allocateHost(rows * columns, of: Float.self, zeroed: false)
    for i in 0..<rows * columns { storage.base[i] = Float(generator.normal()) }
    return storage.tensor(rows: rows, columns: columns)
}
