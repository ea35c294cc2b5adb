import CPUBackend
import Evaluation
import FileSupport
import Identifiers
import Interactions
import Layers
import Models
import Tensors
import Testing

/// Every ranker against the definition: count who scores at least as high.
@Suite struct RankerTests {
    let data: Dataset
    let split: Split

    init() {
        var generator = SeededGenerator(seed: 21)
        let sequences = (0..<60).map { _ in
            (0..<Int.random(in: 1...30, using: &generator)).map { _ in
                ItemID(row: Int(Double(12) * generator.uniform() * generator.uniform()))
            }
        }
        data = Dataset(sequences: sequences, itemCount: 15)  // few items: many ties and repeats, three never seen
        split = .leaveOneOut(data)
    }

    /// Ranks by the definition, given the scores of items 1 ... V for a history.
    private func expected(_ cases: [EvaluationCase], _ scores: ([ItemID]) -> [[Double]]) -> [CaseRanks] {
        cases.map { question in
            let history = data.sequence(ofUser: question.user, 0..<question.position)
            let target = data.item(ofUser: question.user, at: question.position).row + 1
            let values = scores(history)
            func beats(_ item: Int) -> Bool {
                item != target && !values[item - 1].lexicographicallyPrecedes(values[target - 1])
            }
            let items = 1...data.itemCount
            return CaseRanks(
                unmasked: 1 + items.count(where: beats),
                masked: 1 + items.count { beats($0) && !history.contains(ItemID(rawValue: Int32($0))) })
        }
    }

    private var training: [[ItemID]] {
        (0..<data.userCount).map { data.sequence(ofUser: $0, 0..<split.trainingEnd[$0]) }
    }

    @Test func popularityCountsTrainingEventsOnly() throws {
        let counts = (1...data.itemCount).map { item in
            [Double(training.joined().count { $0.rawValue == item })]
        }
        let ranks = try PopularityRanker(data, split).rank(split.test, in: data)
        #expect(ranks == expected(split.test) { _ in counts })
        #expect(Set(ranks.map(\.masked)) != Set(ranks.map(\.unmasked)), "the test tells the settings apart")
    }

    @Test func transitionsCountPairsThenPopularity() throws {
        let ranks = try TransitionRanker(data, split).rank(split.test + split.validation, in: data)
        let reference = expected(split.test + split.validation) { history in
            (1...data.itemCount).map { item in
                let pairs = training.reduce(0) { total, events in
                    total + zip(events, events.dropFirst()).count { $0 == history.last && $1.rawValue == item }
                }
                return [Double(pairs), Double(training.joined().count { $0.rawValue == item })]
            }
        }
        #expect(ranks == reference)
    }

    private func model(items: Int) throws -> SequenceModel {
        var shape = ModelConfiguration(itemCount: items)
        shape.hiddenSize = 8
        return try SequenceModel(initializing: shape, seed: 2, on: CPUBackend())
    }

    @Test(arguments: [nil, 1, 3])
    func theModelsScoresAreRanked(maximumLength: Int?) throws {
        let model = try model(items: data.itemCount)
        let encoder = SequenceEncoder(model, tokens: 64, sequences: 1)
        let table = model.backend.download(model.itemTable)
        let reference = expected(split.test) { history in
            let cut = history.suffix(maximumLength ?? history.count)
            let hidden = model.backend.download(try! encoder.hidden(after: PackedBatch([cut])))
            return (0..<data.itemCount).map { item in
                [Double((0..<8).reduce(Float(0)) { $0 + hidden[$1] * table[item * 8 + $1] })]
            }
        }
        for threads in [1, 2, 3] {
            let ranker = ModelRanker(model, maximumLength: maximumLength, threads: threads)
            #expect(try ranker.rank(split.test, in: data) == reference)
        }
    }

    /// One pass over a user's longest history answers all cases of that user.
    @Test func manyCasesOfAUser() throws {
        let model = try model(items: data.itemCount)
        let cases =
            (0..<data.userCount).flatMap { user in
                (1..<max(1, data.length(ofUser: user))).map { EvaluationCase(user: user, position: $0) }
            }.reversed() + split.test
        let ranker = ModelRanker(model, threads: 2)
        let together = try ranker.rank(Array(cases), in: data)
        #expect(try together == cases.map { try ranker.rank([$0], in: data)[0] })
        let cut = ModelRanker(model, maximumLength: 1, threads: 2)
        #expect(try cut.rank(Array(cases), in: data) == cases.map { try cut.rank([$0], in: data)[0] })
    }

    /// Ten times the value for how long ago (a power of two) and how often an item occurred.
    private func addition(_ item: Int, _ history: [ItemID], _ values: [Float]) -> Float {
        guard let last = history.lastIndex(of: ItemID(rawValue: Int32(item))) else { return 0 }
        var (ago, power) = (history.count - last, 0)
        while ago > 1 { (ago, power) = (ago / 2, power + 1) }
        return 10 * values[min(power, 9) * 4 + min(history.count { $0.rawValue == item }, 4) - 1]
    }

    @Test func whatTheRepeatAwareHeadAddsCounts() throws {
        var shape = ModelConfiguration(itemCount: data.itemCount)
        (shape.hiddenSize, shape.repeatAware) = (8, true)
        let model = try SequenceModel(initializing: shape, seed: 2, on: CPUBackend())
        var generator = SeededGenerator(seed: 4)
        let values = (0..<40).map { _ in Float(generator.normal()) / 10 }
        model.backend.upload(values, to: try #require(model.weights[named: "repeat_bias"]))
        let encoder = SequenceEncoder(model, tokens: 64, sequences: 1)
        let table = model.backend.download(model.itemTable)
        let reference = expected(split.test) { history in
            let hidden = model.backend.download(try! encoder.hidden(after: PackedBatch([history])))
            return (1...data.itemCount).map { item in
                let logit = (0..<8).reduce(Float(0)) { $0 + hidden[$1] * table[(item - 1) * 8 + $1] }
                return [Double(logit + addition(item, history, values))]
            }
        }
        #expect(try ModelRanker(model, threads: 2).rank(split.test, in: data) == reference)
        model.backend.upload([Float](repeating: 0, count: 40), to: model.weights[named: "repeat_bias"]!)
        #expect(try ModelRanker(model, threads: 2).rank(split.test, in: data) != reference, "the head reorders items")
    }

    /// The dataset has its items in reverse order and one that the model does not know.
    @Test func itemsAreMatchedById() throws {
        let model = try model(items: data.itemCount)
        let names = Vocabulary(ids: (1...15).map { "item \($0)" })!
        let reversed = Vocabulary(ids: (1...15).map { $0 == 3 ? "another" : "item \(16 - $0)" })!
        let mapping = ItemMapping(reversed, to: names)
        #expect(!mapping.isIdentity && mapping.unknownCount == 1 && ItemMapping(names, to: names).isIdentity)
        let ranks = try ModelRanker(model, items: mapping, threads: 2).rank(split.test, in: data)
        // The same with the model's numbers, where nothing is unknown to begin with.
        for (question, rank) in zip(split.test, ranks) {
            let history = mapping.known(data.sequence(ofUser: question.user, 0..<question.position))
            let target = data.item(ofUser: question.user, at: question.position)
            guard target != 3, !history.isEmpty else {
                #expect(rank == .miss)
                continue
            }
            let own = Dataset(sequences: [history + [ItemID(rawValue: 16 - target.rawValue)]], itemCount: 15)
            let asked = [EvaluationCase(user: 0, position: history.count)]
            #expect(try ModelRanker(model, threads: 1).rank(asked, in: own) == [rank])
        }
        #expect(ranks.contains(.miss) && ranks.contains { $0 != .miss })
        let same = ItemMapping(names, to: names)
        #expect(
            try ModelRanker(model, items: same, threads: 2).rank(split.test, in: data)
                == ModelRanker(model, threads: 2).rank(split.test, in: data))
    }

    @Test func historiesLongerThanABatchAreRankedPieceByPiece() throws {
        var generator = SeededGenerator(seed: 1)
        let long = (0..<5000).map { _ in ItemID(rawValue: .random(in: 1...15, using: &generator)) }
        let data = Dataset(sequences: [long, [1, 2, 3]], itemCount: 15)
        let model = try model(items: 15)
        let encoder = SequenceEncoder(model, tokens: 5000, sequences: 1)
        let hidden = try encoder.hidden(after: PackedBatch([long.dropLast()]))
        let scores = model.backend.topK(hidden, table: model.itemTable, k: 15, candidates: [.allExcept([])])[0]
        let rank = 1 + scores.firstIndex { Int($0.row) == long.last!.row }!
        let ranks = try ModelRanker(model, threads: 2).rank(Split.leaveOneOut(data).test, in: data)
        #expect(ranks[0].unmasked == rank && ranks[0].masked == 1 && ranks.count == 2)
    }

    @Test func scoresThatAreNotNumbersAreAnError() throws {
        for value in [.nan, .infinity, 3e38] as [Float] {
            let model = try model(items: data.itemCount)
            model.backend.upload([value], to: model.itemTable.rows(4..<5))
            #expect(throws: EvaluationError.notANumber(model: "RecBLR"), "\(value)") {
                _ = try ModelRanker(model, threads: 2).rank(split.test, in: data)
            }
        }
    }

    @Test func anotherCatalogueIsAnError() throws {
        let model = try model(items: 3)
        #expect(throws: EvaluationError.itemCount(model: 3, dataset: 15)) {
            _ = try ModelRanker(model, threads: 1).rank(split.test, in: data)
        }
    }
}
