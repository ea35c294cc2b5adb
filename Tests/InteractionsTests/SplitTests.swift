import Foundation
import Identifiers
import Interactions
import Tensors
import Testing

@Suite struct SplitTests {
    @Test func leaveOneOut() {
        let dataset = Dataset(sequences: [[1, 2, 3, 4], [1, 2, 3], [1, 2], [1], []], itemCount: 4)
        let split = Split.leaveOneOut(dataset)
        #expect(split.trainingEnd == [2, 1, 2, 1, 0])
        #expect(split.validation == [EvaluationCase(user: 0, position: 2), EvaluationCase(user: 1, position: 1)])
        #expect(split.test == [EvaluationCase(user: 0, position: 3), EvaluationCase(user: 1, position: 2)])
    }

    /// Ten events at times 0 … 9: training before 6, validation 6 and 7, test 8 and 9.
    @Test func globalTimeByHand() throws {
        let times: [[Int64]] = [[0, 1, 6, 7, 8], [2, 9], [3, 4], [5]]
        let dataset = Dataset(
            sequences: times.map { $0.map { _ in 1 } }, itemCount: 1, timestamps: times)
        let split = try Split.globalTime(dataset, validationFraction: 0.2, testFraction: 0.2)
        #expect(split.trainingEnd == [2, 1, 2, 1])
        #expect(split.validation == [EvaluationCase(user: 0, position: 2)])
        #expect(split.test == [EvaluationCase(user: 0, position: 4), EvaluationCase(user: 1, position: 1)])
    }

    /// Users with events only after a boundary have no history and no case.
    @Test func newcomersAreNotAskedFor() throws {
        let times: [[Int64]] = [[0, 1, 2, 3, 4, 5, 6, 8], [7], [9]]
        let dataset = Dataset(sequences: times.map { $0.map { _ in 1 } }, itemCount: 1, timestamps: times)
        let split = try Split.globalTime(dataset, validationFraction: 0.2, testFraction: 0.2)
        #expect(split.validation.map(\.user) == [0])
        #expect(split.test.map(\.user) == [0])
        #expect(split.trainingEnd == [6, 0, 0])
    }

    @Test func globalTimeNeverLooksAhead() throws {
        var random = SeededGenerator(seed: 9)
        var splits = 0
        for _ in 0..<300 {
            let times = (0..<Int.random(in: 1...8, using: &random)).map { _ in
                (0..<Int.random(in: 0...12, using: &random)).map { _ in
                    Int64.random(in: 0...20, using: &random)
                }.sorted()
            }
            let dataset = Dataset(sequences: times.map { $0.map { _ in 1 } }, itemCount: 1, timestamps: times)
            guard let split = try? Split.globalTime(dataset, validationFraction: 0.2, testFraction: 0.3) else {
                continue
            }
            splits += 1
            let trained = times.enumerated().flatMap { $1.prefix(split.trainingEnd[$0]) }
            let validated = split.validation.map { times[$0.user][$0.position] }
            let tested = split.test.map { times[$0.user][$0.position] }
            #expect(try #require(trained.max()) < #require(validated.min()))
            #expect(try #require(validated.max()) < #require(tested.min()))
            for question in split.validation + split.test {
                #expect(question.position >= 1 && question.position < times[question.user].count)
            }
            for question in split.validation { #expect(split.trainingEnd[question.user] == question.position) }
            #expect(Set(split.test.map(\.user)).count == split.test.count)
            // Every user with events on both sides of the boundary has a case, and no other user.
            let all = times.joined().sorted()
            let cut = all[Int(Double(all.count) * 0.7)]
            for (user, own) in times.enumerated() {
                let isAsked = own.contains { $0 < cut } && own.contains { $0 >= cut }
                #expect(split.test.contains { $0.user == user } == isAsked)
            }
        }
        #expect(splits > 100)
    }

    @Test func wording() {
        let empty = Dataset(sequences: [[]], itemCount: 2, timestamps: [[]])
        #expect(
            complaint { _ = try Split.globalTime(empty, validationFraction: 0.1, testFraction: 0.1) }
                == "there are no events to split by time")
        let noTimes = Dataset(sequences: [[1, 2]], itemCount: 2)
        let same = Dataset(sequences: [[1, 2]], itemCount: 2, timestamps: [[1, 1]])
        #expect(
            complaint { _ = try Split.globalTime(noTimes, validationFraction: 0.1, testFraction: 0.1) }
                == "a split by time needs timestamps, which this dataset has not")
        #expect(
            complaint { _ = try Split.globalTime(same, validationFraction: 0.1, testFraction: 0.1) }
                == "a split by time needs events of different times: all have the same")
        let apart = Dataset(sequences: [[1, 2], [1, 2]], itemCount: 2, timestamps: [[1, 1], [2, 2]])
        #expect(
            complaint { _ = try Split.globalTime(apart, validationFraction: 0.1, testFraction: 0.1) }
                == "no user has events on both sides of the cuts: choose other fractions")
        for (validation, test) in [(0, 0.1), (0.1, 0), (0.5, 0.5), (.nan, 0.1), (-1, 0.1)] as [(Double, Double)] {
            #expect(
                complaint { _ = try Split.globalTime(same, validationFraction: validation, testFraction: test) }
                    == "the fractions of a split by time must be positive and leave something to train")
        }
    }
}

/// Whole users held out by the time of their last event.
@Suite struct SessionSplitTests {
    private func dataset(_ times: [[Int64]]) -> Dataset {
        Dataset(sequences: times.map { $0.map { _ in 1 } }, itemCount: 1, timestamps: times)
    }

    @Test func byHand() throws {
        let times: [[Int64]] = [[0, 1, 2], [1, 9], [4, 5], [3, 7, 8], [6], [0, 3], []]
        // Of the sessions with two events, by their ends 2, 3, 5, 8, 9: the last is the test, the one before it validation.
        let split = try Split.session(dataset(times), validationFraction: 0.2, testFraction: 0.2)
        #expect(split.trainingEnd == [3, 0, 2, 0, 1, 2, 0])
        #expect(split.validation == [1, 2].map { EvaluationCase(user: 3, position: $0) })
        #expect(split.test == [EvaluationCase(user: 1, position: 1)])
    }

    @Test func nothingTrainsThatHappenedAfterACut() throws {
        var random = SeededGenerator(seed: 12)
        var splits = 0
        for _ in 0..<200 {
            let times = (0..<Int.random(in: 1...30, using: &random)).map { _ in
                (0..<Int.random(in: 0...5, using: &random)).map { _ in Int64.random(in: 0...40, using: &random) }
                    .sorted()
            }
            guard let split = try? Split.session(dataset(times), validationFraction: 0.2, testFraction: 0.3) else {
                continue
            }
            splits += 1
            let ends = { (cases: [EvaluationCase]) in cases.map { times[$0.user].last! } }
            let trained = times.indices.filter { split.trainingEnd[$0] > 0 }.map { times[$0].last! }
            #expect(try #require(trained.max()) < #require(ends(split.validation).min()))
            #expect(try #require(ends(split.validation).max()) < #require(ends(split.test).min()))
            for user in times.indices {
                let positions = (split.validation + split.test).filter { $0.user == user }.map(\.position)
                let isHeldOut = split.trainingEnd[user] == 0
                #expect(positions == (isHeldOut ? Array(stride(from: 1, to: times[user].count, by: 1)) : []))
                #expect(isHeldOut || split.trainingEnd[user] == times[user].count)
            }
        }
        #expect(splits > 100)
    }

    @Test func everythingTrains() {
        let split = Split.everything(Dataset(sequences: [[1, 2, 3], [], [1]], itemCount: 3))
        #expect(split == Split(trainingEnd: [3, 0, 1], validation: [], test: []))
    }

    @Test func wording() {
        func wording(_ dataset: Dataset, _ validation: Double = 0.1, _ test: Double = 0.1) -> String? {
            complaint { _ = try Split.session(dataset, validationFraction: validation, testFraction: test) }
        }
        #expect(
            wording(Dataset(sequences: [[1, 1]], itemCount: 1))
                == "a split by session needs timestamps, which this dataset has not")
        #expect(wording(dataset([[1], []])) == "there are no sessions to split by time")
        #expect(
            wording(dataset([[1, 5], [2, 5], [5, 5]]))
                == "a split by time needs sessions of different times: all have the same")
        #expect(
            wording(dataset([[1, 2]])) == "a split by time needs sessions of different times: there is one")
        #expect(
            wording(dataset([[1, 2], [3], [4, 5]]))
                == "no session is left for validation: those of two events or more are 2, with 2 distinct ends; choose other fractions"
        )
        #expect(
            wording(dataset([[1, 2]]), 0, 0.1)
                == "the fractions of a split by time must be positive and leave something to train")
    }

    /// Whatever differs in a split differs in its fingerprint, and nothing else does.
    @Test func fingerprintsTellSplitsApart() {
        func split(_ ends: [Int], _ validation: [(Int, Int)], _ test: [(Int, Int)]) -> Split {
            let cases = [validation, test].map { $0.map { EvaluationCase(user: $0.0, position: $0.1) } }
            return Split(trainingEnd: ends, validation: cases[0], test: cases[1])
        }
        let usual = split([2, 3], [(0, 2), (1, 3)], [(0, 3)])
        #expect(usual.fingerprint == split([2, 3], [(0, 2), (1, 3)], [(0, 3)]).fingerprint)
        let others = [
            split([2, 2], [(0, 2), (1, 3)], [(0, 3)]), split([2, 3], [(0, 2), (0, 3)], [(0, 3)]),
            split([2, 3], [(0, 2), (1, 4)], [(0, 3)]), split([2, 3], [(0, 2), (1, 3)], [(1, 3)]),
            split([2, 3], [(0, 2), (1, 3)], [(0, 4)]), split([2, 3], [(0, 2)], [(1, 3), (0, 3)]),
            split([2, 3], [(0, 2), (1, 3), (0, 3)], []), split([2, 3], [(0, 2), (1, 3)], []), split([2, 3], [], []),
            split([2, 3, 0], [(0, 2), (1, 3)], [(0, 3)]), split([2], [(0, 2), (1, 3)], [(0, 3)]),
        ]
        #expect(Set((others + [usual]).map(\.fingerprint)).count == 12)
        #expect((others + [usual]).allSatisfy { $0.fingerprint.count == 16 })
    }

    /// Records of earlier versions, and of today's splits.
    @Test func kindsAreReadBack() throws {
        func decode(_ text: String) throws -> SplitKind {
            try JSONDecoder().decode(SplitKind.self, from: Data(text.utf8))
        }
        #expect(try decode(#"{"leaveOneOut":{}}"#) == .leaveOneOut)
        let fractions = #"{"testFraction":0.1,"validationFraction":0.2}"#
        #expect(try decode(#"{"globalTime":\#(fractions)}"#) == .globalTime(validationFraction: 0.2, testFraction: 0.1))
        let data = dataset((0..<20).map { [Int64($0), Int64($0) + 2, Int64($0) + 3] })
        #expect(try SplitKind.leaveOneOut.split(data) == .leaveOneOut(data))
        #expect(try SplitKind.everything.split(data) == .everything(data))
        let (validation, test) = (0.2, 0.3)
        #expect(
            try SplitKind.globalTime(validationFraction: validation, testFraction: test).split(data)
                == .globalTime(data, validationFraction: validation, testFraction: test))
        #expect(
            try SplitKind.session(validationFraction: validation, testFraction: test).split(data)
                == .session(data, validationFraction: validation, testFraction: test))
        for kind in [SplitKind.everything, .session(validationFraction: 0.3, testFraction: 0.2), .leaveOneOut] {
            #expect(try JSONDecoder().decode(SplitKind.self, from: JSONEncoder().encode(kind)) == kind)
        }
    }
}
