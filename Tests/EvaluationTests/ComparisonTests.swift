import Identifiers
import Interactions
import Tensors
import Testing

@testable import Evaluation

/// Differences of two models, and what chance could make of them.
@Suite struct ComparisonTests {
    /// 40 users with one to six cases each.
    private static func pairs() -> [PairedCase] {
        var generator = SeededGenerator(seed: 5)
        func ranks() -> CaseRanks {
            CaseRanks(
                unmasked: Int.random(in: 1...20, using: &generator), masked: Int.random(in: 1...15, using: &generator))
        }
        return (0..<40).flatMap { user in
            (0..<Int.random(in: 1...6, using: &generator)).map { _ in PairedCase(user: user, a: ranks(), b: ranks()) }
        }
    }

    /// The same draws, with every case of every drawn user listed and averaged anew.
    @Test func sumsOfUsersAreTheSlowBootstrap() {
        let pairs = Self.pairs()
        let fast = PairedBootstrap(pairs).resampled(60, seed: 9)
        for number in 0..<60 {
            var generator = SeededGenerator(seed: 9, stream: UInt64(number))
            var cases: [PairedCase] = []
            for _ in 0..<40 {
                let user = Int(generator.next().multipliedFullWidth(by: 40).high)
                cases += pairs.filter { $0.user == user }
            }
            let settings: [(PairedCase) -> (Int, Int)] = [
                { ($0.a.unmasked, $0.b.unmasked) }, { ($0.a.masked, $0.b.masked) },
            ]
            for (setting, ranks) in settings.enumerated() {
                let a = CutoffMetrics(ranks: cases.map { ranks($0).0 }, cutoff: 10)
                let b = CutoffMetrics(ranks: cases.map { ranks($0).1 }, cutoff: 10)
                for (lane, expected) in [(a.hr, b.hr), (a.ndcg, b.ndcg), (a.mrr, b.mrr)].enumerated() {
                    #expect(abs(fast[number].a[3 * setting + lane] - expected.0) < 1e-12)
                    #expect(abs(fast[number].b[3 * setting + lane] - expected.1) < 1e-12)
                }
            }
        }
    }

    private func compare(_ a: [Int], _ b: [Int], users: [Int]? = nil, seed: UInt64 = 1) throws -> Comparison {
        let users = users ?? Array(a.indices)
        var (positions, cases): ([Int: Int], [EvaluationCase]) = ([:], [])
        for user in users {
            positions[user, default: 0] += 1
            cases.append(EvaluationCase(user: user, position: positions[user]!))
        }
        let data = Dataset(
            sequences: (0...(users.max() ?? 0)).map { user in [ItemID](repeating: 1, count: 1 + (positions[user] ?? 0))
            },
            itemCount: 2)
        let split = Split(trainingEnd: (0..<data.userCount).map { _ in 1 }, validation: [], test: cases)
        func ranks(_ values: [Int]) -> [CaseRanks] { values.map { CaseRanks(unmasked: $0, masked: 1) } }
        return try Comparison(ranks(a), ranks(b), cases, data, split, seed: seed)
    }

    @Test func byHand() throws {
        let comparison = try compare([1, 12, 3, 11], [2, 1, 3, 40])
        let own = comparison.all.unmasked
        #expect(own.hr.difference == 0.25 && own.mrr.difference == (0.5 + 1 - 1) / 4)
        #expect(own.winsOfB == 1 && own.winsOfA == 1 && own.ties == 2, "ranks beyond ten are all the same")
        #expect(comparison.all.cases == 4 && comparison.all.users == 4 && comparison.resamples == 2000)
        let masked = comparison.all.masked
        #expect(masked.ndcg == Difference((1, 1), resampled: []) && masked.ties == 4)
        // B finds three of four targets, A two; nothing is made of no hits at all.
        #expect(own.hr.ratio == 1.5 && own.hr.ratioLow == nil && comparison.gaps == nil)
        #expect(try compare([20], [1]).all.unmasked.hr.ratio == nil)
        // Item 1 has all the training events.
        #expect(comparison.slices.map { $0.group?.cases } == [4, nil, nil])
        #expect(comparison.slices[0].group == comparison.all)
    }

    /// A ratio has its own percentiles: every resample of users is averaged for A and for B, and only then divided.
    @Test func ratiosHaveTheirOwnInterval() {
        let resampled = (0...100).map { (a: 0.2, b: 0.2 + 0.001 * Double($0)) }
        let difference = Difference((0.2, 0.25), resampled: resampled)
        #expect(difference.ratio == 1.25)
        #expect(abs(difference.ratioLow! - 1.0125) < 1e-12 && abs(difference.ratioHigh! - 1.4875) < 1e-12)
        let empty = Difference((0.2, 0.25), resampled: resampled + [(a: 0, b: 1)])
        #expect(empty.low != nil && empty.ratioLow == nil, "a resample in which A finds nothing has no ratio")
    }

    /// The first event after a minute, the other ones after a day and longer: each class compares its own cases.
    @Test func gapsAreComparedOneByOne() throws {
        let minute: Int64 = 60_000_000_000
        let times = [0, 1, 10, 3000, 30_000].map { minute * $0 }
        let data = Dataset(
            sequences: [[1, 2, 1, 2, 1]], itemCount: 2, timestamps: [times])
        let cases = (1...4).map { EvaluationCase(user: 0, position: $0) }
        let split = Split(trainingEnd: [1], validation: [], test: cases)
        let a = [2, 2, 2, 2].map { CaseRanks(unmasked: $0, masked: $0) }
        let b = [2, 2, 1, 1].map { CaseRanks(unmasked: $0, masked: $0) }
        let gaps = try #require(try Comparison(a, b, cases, data, split).gaps)
        #expect(gaps.map { $0.group?.cases } == [nil, 2, nil, 1, 1])
        #expect(gaps.map { $0.group?.unmasked.winsOfB } == [nil, 0, nil, 1, 1])
    }

    /// However clear the difference: with one user every resample is the same.
    @Test func fewUsersHaveNoInterval() throws {
        for count in [1, 19] {
            let few = try compare([Int](repeating: 20, count: count), [Int](repeating: 1, count: count)).all.unmasked.hr
            #expect(few.difference == 1 && few.low == nil && few.high == nil && few.excludesZero == nil)
        }
        let many = (0..<200).map { $0 % 19 }  // cases of as few users
        let ofFew = try compare(many.map { _ in 20 }, many.map { _ in 1 }, users: many).all.unmasked.hr
        #expect(ofFew.excludesZero == nil)
        let enough = try compare([Int](repeating: 20, count: 20), [Int](repeating: 1, count: 20)).all.unmasked.hr
        #expect(enough.excludesZero == true && enough.low == 1 && enough.high == 1)
    }

    @Test func certainAndUncertainDifferences() throws {
        let (worse, better) = ([Int](repeating: 20, count: 50), [Int](repeating: 1, count: 50))
        let always = try compare(worse, better).all.unmasked.ndcg
        #expect(always == Difference((0, 1), resampled: [(0, 1)]) && always.excludesZero == true)
        let reverse = try compare(better, worse).all.unmasked.ndcg
        #expect(reverse.difference == -1 && reverse.high == -1 && reverse.excludesZero == true)
        // 26 wins against 24: of course undecided. 50 against 10 is not.
        let mixed = try compare((0..<50).map { $0 < 26 ? 20 : 1 }, (0..<50).map { $0 < 26 ? 1 : 20 }).all.unmasked.hr
        #expect(abs(mixed.difference - 0.04) < 1e-12 && mixed.excludesZero == false)
        #expect(try #require(mixed.low) < 0 && #require(mixed.high) > 0)
        let clear = try compare((0..<60).map { $0 < 50 ? 20 : 1 }, (0..<60).map { $0 < 50 ? 1 : 20 }).all.unmasked.hr
        let (low, high) = (try #require(clear.low), try #require(clear.high))
        #expect(clear.excludesZero == true && low > 0.4 && high < 0.9)
        // The standard error of that mean, √(1 − (2/3)²) / √60 = 0.096, times 2 · 1.96.
        #expect(abs(high - low - 0.377) < 0.04)
    }

    @Test func casesOfOneUserAreNotIndependent() throws {
        let (a, b) = ((0..<200).map { $0 % 20 < 12 ? 20 : 1 }, (0..<200).map { $0 % 20 < 12 ? 1 : 20 })
        let apart = try compare(a, b).all.unmasked.hr
        let together = try compare(a, b, users: (0..<200).map { $0 % 20 }).all.unmasked.hr
        #expect(abs(apart.difference - together.difference) < 1e-12)
        func width(_ difference: Difference) throws -> Double {
            try #require(difference.high) - #require(difference.low)
        }
        #expect(try width(together) > 2 * width(apart))
    }

    @Test func theSeedDecides() throws {
        var generator = SeededGenerator(seed: 2)
        let (a, b) = (
            (0..<300).map { _ in Int.random(in: 1...20, using: &generator) },
            (0..<300).map { _ in Int.random(in: 1...20, using: &generator) }
        )
        let first = try compare(a, b)
        #expect(
            try first == compare(a, b) && first.all.unmasked.ndcg.low != compare(a, b, seed: 2).all.unmasked.ndcg.low)
        #expect(throws: EvaluationError.noCases) { _ = try compare([], []) }
    }
}
