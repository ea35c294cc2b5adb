import CPUBackend
import Foundation
import Identifiers
import Interactions
import Layers
import Models
import ReferenceBackend
import Synchronization
import Tensors
import Testing

@testable import Evaluation

/// Coverage, novelty, Gini and probabilities, by hand and by their definitions.
@Suite struct ListTests {
    /// The example of the documentation.
    @Test func fourItems() {
        let metrics = ListMetrics([2, 2, 0, 0], itemCount: 4, popularity: [2, 1, 0, 0])
        #expect(metrics.coverage == 0.5 && metrics.gini == 0.5)
        #expect(abs(metrics.novelty - (log2(7.0 / 3) + log2(7.0 / 2)) / 2) < 1e-12)
    }

    @Test func equalAndLonely() {
        let equal = ListMetrics([3, 3, 3, 3], itemCount: 4, popularity: [1, 1, 1, 1])
        #expect(equal.coverage == 1 && equal.gini == 0 && equal.novelty == 2)
        let lonely = ListMetrics([0, 9], itemCount: 1000, popularity: [5, 0])
        #expect(abs(lonely.gini - 0.999) < 1e-12 && lonely.coverage == 0.001)
        #expect(abs(lonely.novelty - log2(1005)) < 1e-12, "the item has no training events")
        // An item that only the model knows comes after the dataset's: it has no training events either.
        #expect(ListMetrics([0, 0, 1], itemCount: 1000, popularity: [5, 0]).novelty == lonely.novelty)
        let none = ListMetrics([0, 0], itemCount: 2, popularity: [1, 1])
        #expect([none.coverage, none.novelty, none.gini] == [0, 0, 0] && none.isValid)
    }

    private let data: Dataset
    private let split: Split

    init() {
        var generator = SeededGenerator(seed: 8)
        let sequences = (0..<40).map { _ in
            (0..<Int.random(in: 3...30, using: &generator)).map { _ in
                ItemID(row: Int(Double(25) * generator.uniform() * generator.uniform()))
            }
        }
        data = Dataset(sequences: sequences, itemCount: 30)
        split = .leaveOneOut(data)
    }

    /// The ten best by scores, ties by number.
    private func best(_ scores: [[Double]], without seen: [ItemID]) -> ArraySlice<Int> {
        scores.indices.filter { !seen.contains(ItemID(row: $0)) }.sorted {
            scores[$0] == scores[$1] ? $0 < $1 : scores[$1].lexicographicallyPrecedes(scores[$0])
        }.prefix(10)
    }

    private func expected(_ scores: ([ItemID]) -> [[Double]]) -> ListCounts {
        var lists = ListCounts(itemCount: data.itemCount)
        for each in split.test {
            let history = data.sequence(ofUser: each.user, 0..<each.position)
            let own = scores(history)
            lists.add(best(own, without: []).map(ItemID.init(row:)), best(own, without: history).map(ItemID.init(row:)))
        }
        return lists
    }

    @Test func listsOfCounting() throws {
        let training = (0..<data.userCount).map { data.sequence(ofUser: $0, 0..<split.trainingEnd[$0]) }
        let counts = trainingCounts(data, split).map(Double.init)
        let popular = try PopularityRanker(data, split).examine(split.test, in: data)
        #expect(popular.lists == expected { _ in counts.map { [$0] } } && popular.probabilities == nil)
        let transitions = try TransitionRanker(data, split).examine(split.test, in: data)
        let reference = expected { history in
            counts.indices.map { row in
                let pairs = training.reduce(0) { total, events in
                    total + zip(events, events.dropFirst()).count { $0 == history.last && $1.row == row }
                }
                return [Double(pairs), counts[row]]
            }
        }
        #expect(transitions.lists == reference)
    }

    private func model() throws -> SequenceModel {
        var shape = ModelConfiguration(itemCount: data.itemCount)
        (shape.hiddenSize, shape.repeatAware) = (8, true)
        let model = try SequenceModel(initializing: shape, seed: 2, on: CPUBackend())
        var generator = SeededGenerator(seed: 4)
        model.backend.upload(
            (0..<40).map { _ in Float(generator.normal()) / 10 }, to: try #require(model.weights[named: "repeat_bias"]))
        return model
    }

    /// The scores of all items after a history, bias included.
    private func scores(_ model: SequenceModel, _ history: [ItemID]) throws -> [Double] {
        let encoder = SequenceEncoder(model, tokens: 64, sequences: 1)
        let hidden = try encoder.encode([history])[0]
        let table = model.backend.download(model.itemTable)
        var scores = (0..<data.itemCount).map { item in
            (0..<8).reduce(0.0) { $0 + Double(hidden[$1]) * Double(table[item * 8 + $1]) }
        }
        try #require(try model.headBias(after: [history])).forEach(ofRow: 0) { column, kind in
            scores[column] += Double(10 * model.backend.download(model.weights[named: "repeat_bias"]!)[kind])
        }
        return scores
    }

    @Test(arguments: [1, 3]) func asksItsCallerWhetherToStop(threads: Int) throws {
        let sequences = (0..<60).map { user in (0..<200).map { ItemID(row: (user + $0 * $0) % 30) } }
        let long = Dataset(sequences: sequences, itemCount: 30)
        let (cases, ranker) = (Split.leaveOneOut(long).test, ModelRanker(try model(), threads: threads))
        let caller = ObjectIdentifier(Thread.current)
        let asked = Mutex((callers: 0, others: 0))
        _ = try ranker.examine(cases, in: long) {
            asked.withLock {
                if ObjectIdentifier(Thread.current) == caller { $0.callers += 1 } else { $0.others += 1 }
            }
            return false
        }
        #expect(asked.withLock(\.others) == 0)
        guard threads == 1 else { return }  // others may have left nothing to the caller
        #expect(asked.withLock(\.callers) > 3, "after each of several batches")
        #expect(throws: EvaluationError.stopped) { _ = try ranker.examine(cases, in: long, shouldStop: { true }) }
    }

    @Test(arguments: [1, 3]) func aModelsProbabilitiesAndLists(threads: Int) throws {
        let model = try model()
        let examination = try ModelRanker(model, threads: threads).examine(split.test, in: data)
        #expect(try examination.ranks == ModelRanker(model, threads: 2).rank(split.test, in: data))
        var all: [[ItemID]: [Double]] = [:]
        let probabilities = try #require(examination.probabilities)
        for (each, probability) in zip(split.test, probabilities) {
            let history = data.sequence(ofUser: each.user, 0..<each.position)
            let scores = try scores(model, history)
            all[history] = scores
            let sum = scores.reduce(0) { $0 + exp($1) }
            let target = data.item(ofUser: each.user, at: each.position)
            #expect(abs(try #require(probability.crossEntropy) - (log(sum) - scores[target.row])) < 1e-5)
            let seen = Set(history).reduce(0) { $0 + exp(scores[$1.row]) } / sum
            #expect(abs(try #require(probability.seen) - seen) < 1e-5)
        }
        #expect(examination.lists == expected { all[$0]!.map { [$0] } })
        let report = try EvaluationReport(ModelRanker(model, threads: 2), split.test, data, split)
        let losses = probabilities.compactMap(\.crossEntropy)
        #expect(report.probability?.crossEntropy == losses.reduce(0, +) / Double(losses.count))
        #expect(report.probability?.cases == split.test.count && report.isValid)
        #expect(report.maskedToUnmasked == report.all.masked.at10.ndcg / report.all.unmasked.at10.ndcg)
        #expect(
            report.lists?.masked
                == ListMetrics(examination.lists!.masked, itemCount: 30, popularity: trainingCounts(data, split)))
    }

    /// The model knows the items in another order, one not at all, and has one that the dataset has not.
    @Test func listsAreInTheDatasetsItems() throws {
        let model = try model()
        let names = Vocabulary(ids: (1...30).map { "item \($0)" })!
        let reversed = Vocabulary(ids: (1...30).map { $0 == 3 ? "another" : "item \(31 - $0)" })!
        let mapping = ItemMapping(reversed, to: names)
        let own = try ModelRanker(model, items: mapping, threads: 2).examine(split.test, in: data)
        let lists = try #require(own.lists)
        var counts = ListCounts(itemCount: 30)
        for each in split.test {
            let history = mapping.known(data.sequence(ofUser: each.user, 0..<each.position))
            guard !history.isEmpty else { continue }
            let scores = try scores(model, history).map { [$0] }
            counts.add(
                best(scores, without: []).map(ItemID.init(row:)), best(scores, without: history).map(ItemID.init(row:)))
        }
        // Row r of the model is row 29 − r of the dataset, but for the item that the dataset lacks.
        for (found, expected) in [(lists.unmasked, counts.unmasked), (lists.masked, counts.masked)] {
            #expect((0..<30).allSatisfy { found[$0] == ($0 == 2 ? 0 : expected[29 - $0]) })
            #expect(found.dropFirst(30).reduce(0, +) == expected[27])
        }
        let unknown = zip(split.test, own.probabilities!).filter {
            data.item(ofUser: $0.0.user, at: $0.0.position) == 3
        }
        #expect(unknown.allSatisfy { $0.1.crossEntropy == nil && $0.1.seen != nil })
    }

    @Test func rowsOfTheCrossEntropyAreThoseOfTheOracle() {
        var generator = SeededGenerator(seed: 6)
        let (fast, oracle) = (CPUBackend(), ReferenceBackend())
        for (rows, items) in [(1, 1), (5, 40), (150, 17_000)] {
            let values = { (count: Int) in (0..<count).map { _ in Float(generator.normal()) } }
            let (hidden, table) = (values(rows * 4), values(items * 4))
            let targets = (0..<rows).map { _ in Int32.random(in: 0..<Int32(items), using: &generator) }
            let losses = [fast as any Backend, oracle].map { backend in
                let (h, t) = (backend.tensor(rows, 4), backend.tensor(items, 4))
                backend.upload(hidden, to: h)
                backend.upload(table, to: t)
                return backend.crossEntropies(h, table: t, targets: backend.indices(targets), bias: nil)
            }
            #expect(losses[0].count == rows && zip(losses[0], losses[1]).allSatisfy { abs($0 - $1) < 1e-4 })
        }
    }
}
