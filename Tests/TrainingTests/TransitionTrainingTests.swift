import CPUBackend
import Foundation
import Identifiers
import Interactions
import Models
import Tensors
import Testing

@testable import Training

/// What the transition head learns, and from what.
@Suite struct TransitionTrainingTests {
    private func train(_ data: Dataset, transitions: Bool, epochs: Int = 6) throws -> (
        model: SequenceModel, record: TrainingRecord
    ) {
        var (shape, options) = (smallShape(items: data.itemCount), TrainingOptions())
        shape.transitions = transitions
        (options.epochs, options.batchTokens, options.threads, options.dropout) = (epochs, 120, 1, 0)
        let backend = CPUBackend(precision: .float32)
        return try Trainer(data, .leaveOneOut(data), shape, options, backend: backend).run().finished()
    }

    /// Events that are held out are not counted.
    @Test func onlyTrainingEventsCount() throws {
        let data = randomDataset(users: 25)
        let counts = try #require(train(data, transitions: true).model.transitions)
        let training = (0..<data.userCount).map {
            data.sequence(ofUser: $0).dropLast(data.length(ofUser: $0) >= 3 ? 2 : 0)
        }
        #expect(counts == TransitionCounts(itemCount: data.itemCount, training.map(Array.init)))
    }

    /// Where the next item does not depend on the last ones there is nothing to learn: if a target were among its own counts, the loss would fall far.
    @Test func chanceTeachesNothing() throws {
        var generator = SeededGenerator(seed: 11)
        let sequences = (0..<60).map { _ in (0..<12).map { _ in ItemID(row: .random(in: 0..<200, using: &generator)) } }
        let data = Dataset(sequences: sequences, itemCount: 200)
        let loss = try #require(train(data, transitions: true).record.epochs.last).loss
        let without = try #require(train(data, transitions: false).record.epochs.last).loss
        #expect(loss > without - 0.05, "\(loss) with transitions, \(without) without")
    }

    /// Where each item has its successor, the counts say so at once.
    @Test func successorsAreLearnt() throws {
        let sequences = (0..<80).map { user in (0..<10).map { ItemID(row: (7 * user + $0) % 200) } }
        let data = Dataset(sequences: sequences, itemCount: 200)
        let loss = try #require(train(data, transitions: true, epochs: 25).record.epochs.last).loss
        let without = try #require(train(data, transitions: false, epochs: 25).record.epochs.last).loss
        #expect(loss < without - 0.3, "\(loss) with transitions, \(without) without")
    }
}
