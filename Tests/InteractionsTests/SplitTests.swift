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

    /// Whoever comes only after a cut has no history and is not asked for.
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
            // Every user with events on both sides of the cut is asked for, and nobody else.
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
                == "no user has events on both sides of the cuts: choose other fractions")
        for (validation, test) in [(0, 0.1), (0.1, 0), (0.5, 0.5), (.nan, 0.1), (-1, 0.1)] as [(Double, Double)] {
            #expect(
                complaint { _ = try Split.globalTime(same, validationFraction: validation, testFraction: test) }
                    == "the fractions of a split by time must be positive and leave something to train")
        }
    }
}
