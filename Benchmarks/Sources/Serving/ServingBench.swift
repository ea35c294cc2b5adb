import CPUBackend
import Dispatch
import Evaluation
import FileSupport
import Identifiers
import Interactions
import Models
import Serving
import Tensors

/// The cost of recommendations with a model of a number of items; it need not be trained.
struct ServingBench: Encodable, Sendable {
    /// Whether the model has the repeat-aware head, which `train` turns on.
    let repeatAware: Bool
    /// Ranking of 6,040 cases, histories of 165 events on average.
    let evaluationSeconds: Double
    /// Time of one step of a user's state, and of the ten best items after 165 events, on one core.
    let recommendMicroseconds: Double
    /// Batches of users on all threads, the ten best items each.
    let batches: [Batch]

    /// Users with histories of one length.
    struct Batch: Encodable, Sendable {
        /// Events of a history.
        let events: Int
        /// Users per second on all threads.
        let usersPerSecond: Double
    }

    init(items: Int, repeatAware: Bool, threads: Int) throws {
        var shape = ModelConfiguration(itemCount: items)
        shape.repeatAware = repeatAware
        let model = try SequenceModel(initializing: shape, seed: 1, on: CPUBackend())
        let catalogue = Catalogue(model, items: Vocabulary(ids: (1...items).map(String.init))!)
        self.repeatAware = repeatAware
        evaluationSeconds = try Self.evaluation(model, threads)
        recommendMicroseconds = Self.recommend(catalogue)
        batches = [1, 10, 50, 165].map { Self.batch(catalogue, events: $0, threads) }
    }

    private static func evaluation(_ model: SequenceModel, _ threads: Int) throws -> Double {
        let data = syntheticDataset(users: 6040, meanLength: 165, items: model.configuration.itemCount)
        let split = Split.leaveOneOut(data)
        let start = ContinuousClock.now
        _ = try ModelRanker(model, threads: threads).rank(split.test, in: data)
        return seconds(since: start)
    }

    private static func recommend(_ catalogue: Catalogue) -> Double {
        let recommender = Recommender(catalogue, tokens: 1)
        var state = catalogue.model.initialState()
        let items = catalogue.items.count
        var history = (1...165).map { ItemID(row: $0 * 31 % items) }
        return medianTime(of: 2000) { round in
            history.removeFirst()
            history.append(ItemID(row: round * 17 % items))
            _ = try! recommender.step(&state, item: history.last!, history: history, k: 10)
        } * 1e6
    }

    private static func batch(_ catalogue: Catalogue, events: Int, _ threads: Int) -> Batch {
        let users = max(256, 40_000 / events)
        let items = catalogue.items.count
        let histories = (0..<users).map { user in
            (0..<events).map { ItemID(row: (user * 7919 + $0 * 31) % items) }
        }
        let start = ContinuousClock.now
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            let recommender = Recommender(catalogue)
            for first in stride(from: thread * 256, to: users, by: threads * 256) {
                _ = try! recommender.answer(Array(histories[first..<min(first + 256, users)]), k: 10)
            }
        }
        return Batch(events: events, usersPerSecond: Double(users) / seconds(since: start))
    }
}
