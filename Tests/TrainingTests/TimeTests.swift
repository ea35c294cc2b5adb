import CPUBackend
import Evaluation
import Foundation
import Identifiers
import Interactions
import Layers
import Models
import Tensors
import Testing
import Training

/// Training with times.
@Suite struct TimeTests {
    static let items = 24

    /// The gap says what comes next: of 24 items one of the first 8 within an hour, of the next 8 within a week, else of the last 8.
    static func dataset(users: Int = 60, seed: UInt64 = 4) -> Dataset {
        var generator = SeededGenerator(seed: seed)
        var (sequences, times): ([[ItemID]], [[Int64]]) = ([], [])
        for _ in 0..<users {
            var (own, ownTimes, time): ([ItemID], [Int64], Int64) = ([], [], 1_700_000_000)
            for _ in 0..<Int.random(in: 5...40, using: &generator) {
                let kind = Int.random(in: 0...2, using: &generator)
                time += [120, 200_000, 4_000_000][kind] + Int64.random(in: 0...1000, using: &generator)
                own.append(ItemID(row: 8 * kind + Int.random(in: 0..<8, using: &generator)))
                ownTimes.append(time * 1_000_000_000)
            }
            sequences.append(own)
            times.append(ownTimes)
        }
        return Dataset(sequences: sequences, itemCount: items, timestamps: times)
    }

    private var shape: ModelConfiguration {
        var shape = smallShape(items: Self.items)
        shape.usesTime = true
        return shape
    }

    private var options: TrainingOptions {
        var options = TrainingOptions()
        (options.epochs, options.batchTokens, options.warmupSteps, options.maximumLength) = (3, 120, 5, 17)
        (options.learningRate, options.threads) = (1e-2, 2)
        return options
    }

    private func trainer(_ data: Dataset, _ options: TrainingOptions, in folder: URL? = nil) throws -> Trainer {
        try Trainer(data, .leaveOneOut(data), shape, options, backend: CPUBackend(), checkpointFolder: folder)
    }

    /// Who knows when it is asked tells which eight of the 24 items come; who does not, cannot.
    @Test(arguments: TrainingOptions.Objective.allCases)
    func itLearnsWhatTheRequestsTimeSays(objective: TrainingOptions.Objective) throws {
        let data = Self.dataset(users: 150)
        var options = options
        (options.epochs, options.dropout, options.objective) = (objective == .everyPosition ? 20 : 2, 0, objective)
        let halves = Split.leaveOneOut(data)
        // Validation, which is told no request's time, would choose an epoch by chance.
        let split = Split(trainingEnd: halves.trainingEnd, validation: [], test: halves.test)
        let model = try Trainer(data, split, shape, options, backend: CPUBackend()).run().finished().model
        func hits(_ reading: ModelRanker.Reading) throws -> Double {
            let ranker = ModelRanker(model, maximumLength: nil, reading: reading, threads: 2)
            #expect(ranker.name == "RecBLR, \(reading.rawValue)")
            return SettingMetrics(try ranker.rank(split.test, in: data)).unmasked.at10.hr
        }
        let (past, asked) = (try hits(.pastTimes), try hits(.requestTime))
        #expect(asked > 0.95, "ten of 24 with the right eight among them")
        #expect(past < 0.7)
    }

    /// ω is not negative after any step; where nothing is to be forgotten it stays 0.
    @Test func fadingIsNeverNegative() throws {
        let data = Self.dataset()
        let model = try trainer(data, options).run().finished().model
        let fade = model.backend.download(try #require(model.weights[named: "layers.0.fade"]))
        #expect(fade.allSatisfy { $0 >= 0 } && fade.contains { $0 > 0 } && fade.contains(0))
    }

    /// Histories longer than a workspace among short ones, stopped and resumed: the same bits.
    @Test func resumedIsUninterrupted() throws {
        let data = Self.dataset()
        var options = options
        options.maximumLength = 10_000_000
        func weights(_ folder: URL?) throws -> [Float] {
            while true {
                var left = 7
                let outcome = try trainer(data, options, in: folder).run(
                    resuming: true,
                    shouldStop: {
                        left -= 1
                        return folder != nil && left == 0
                    })
                if case .finished(let model, _) = outcome { return model.backend.download(model.weights.flat) }
            }
        }
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let whole = try weights(nil)
        #expect(try weights(folder) == whole)
    }

    @Test func dataWithoutTimesIsRefused() throws {
        let data = randomDataset(items: Self.items)
        #expect(throws: TrainingError.evaluation(.noTimes)) { _ = try trainer(data, options) }
        let model = try SequenceModel(initializing: shape, seed: 1, on: CPUBackend())
        #expect(throws: EvaluationError.noTimes) {
            try ModelRanker(model, threads: 1).rank(Split.leaveOneOut(data).test, in: data)
        }
    }

    /// A history that is cut keeps the gap before its first event, and items that the model does not know leave no gap behind.
    @Test func cutHistoriesKeepTheirGaps() throws {
        let data = Self.dataset()
        let model = try trainer(data, options).run().finished().model
        let cases = Split.leaveOneOut(data).test
        let cut = try ModelRanker(model, maximumLength: 3, reading: .requestTime, threads: 1).rank(cases, in: data)
        let encoder = SequenceEncoder(model, tokens: 64, sequences: 1)
        for (question, ranks) in zip(cases, cut) {
            let times = data.timestamps(ofUser: question.user)!
            var batch = PackedBatch()
            let history = data.sequence(ofUser: question.user, 0..<question.position)
            batch.append(
                history.suffix(3),
                times: EventTime.history(times.prefix(question.position), question: times[question.position]).suffix(3))
            let hidden = try encoder.hidden(after: batch)
            let target = data.item(ofUser: question.user, at: question.position)
            let counts = model.backend.rank(
                hidden, table: model.itemTable, targets: model.backend.indices([Int32(target.row)]), bias: nil,
                seen: [[]])
            #expect(counts?.first.map { Int($0.all) + 1 } == ranks.unmasked)
        }
    }
}
