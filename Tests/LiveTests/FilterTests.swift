import Events
import Identifiers
import Testing

@testable import Live

/// Filters are exact, immediate, and never under-fill.
@Suite struct FilterTests {
    private func service(_ models: TestModels) throws -> LiveService {
        try LiveService(models: models.url, log: MemoryEventLog(), options: .test())
    }

    private let history = (0..<5).map { NewEvent(user: "u", item: RawID("i\($0)"), time: second($0 * 86_400)) }

    private func all(_ change: (inout RecommendationQuery) -> Void = { _ in }) -> RecommendationQuery {
        var query = RecommendationQuery()
        (query.count, query.at) = (100, second(5 * 86_400))
        change(&query)
        return query
    }

    private func rows(_ answer: Recommendations) -> Set<Int> {
        Set(answer.items.map { Int($0.item.text.dropFirst())! })
    }

    @Test func seenItems() async throws {
        let models = try TestModels(["a"])
        let service = try service(models)
        _ = try await service.append(history)
        #expect(rows(try await service.recommend(to: "u", all())) == Set(5..<60))
        #expect(rows(try await service.recommend(to: "u", all { $0.excludeSeen = .never })) == Set(0..<60))
        let recent = all { $0.excludeSeen = .within(seconds: 2 * 86_400) }
        #expect(rows(try await service.recommend(to: "u", recent)) == Set(0..<60).subtracting([3, 4]))
        await service.stop()
    }

    /// In whole seconds, on the side of leaving out, and before 1970 as after it.
    @Test(arguments: [0, -3_000_000_000] as [Int64]) func seenWithinSeconds(shift: Int64) async throws {
        let models = try TestModels(["a"])
        let service = try service(models)
        func time(_ milliseconds: Int64) -> Timestamp {
            Timestamp(microseconds: (1_600_000_000 + shift) * 1_000_000 + 1000 * milliseconds)
        }
        _ = try await service.append([
            NewEvent(user: "u", item: "i1", time: time(900)), NewEvent(user: "u", item: "i2", time: time(1100)),
            NewEvent(user: "u", item: "i3", time: time(2500)),
        ])
        for (at, expected) in [(11_000, [1, 2, 3]), (11_900, [1, 2, 3]), (12_000, [2, 3]), (13_100, [3])]
            as [(Int64, [Int])]
        {
            let query = all { ($0.at, $0.excludeSeen) = (time(at - 1000), .within(seconds: 10)) }
            #expect(
                Set(0..<60).subtracting(rows(try await service.recommend(to: "u", query))) == Set(expected), "\(at)")
        }
        await service.stop()
    }

    /// Items that were met before the last 1,024 events are left out, too.
    @Test(arguments: [1 << 24, 0]) func itemsSeenLongAgo(memory: Int) async throws {
        let models = try TestModels(["a"])
        let service = try LiveService(models: models.url, log: MemoryEventLog(), options: .test(memory: memory))
        let old = [NewEvent(user: "u", item: "i7", time: second(0)), NewEvent(user: "u", item: "i8", time: second(1))]
        let many = (0..<1100).map { NewEvent(user: "u", item: "i\($0 % 5)", time: second(90_000 + $0)) }
        _ = try await service.append(old + many)
        var query = all()
        query.at = second(92_000)
        #expect(rows(try await service.recommend(to: "u", query)) == Set(5..<60).subtracting([7, 8]))
        query.excludeSeen = .within(seconds: 92_000)
        #expect(rows(try await service.recommend(to: "u", query)) == Set(5..<60).subtracting([7, 8]))
        query.excludeSeen = .within(seconds: 91_999)
        #expect(rows(try await service.recommend(to: "u", query)) == Set(5..<60).subtracting([8]))
        // A new event pushes another one out of the recent ones.
        _ = try await service.append([NewEvent(user: "u", item: "i9", time: second(92_001))])
        (query.at, query.excludeSeen) = (nil, .always)
        #expect(rows(try await service.recommend(to: "u", query)) == Set(5..<60).subtracting([7, 8, 9]))
        await service.stop()
    }

    @Test func exclusionsAndChoices() async throws {
        let models = try TestModels(["a"])
        let service = try service(models)
        _ = try await service.append(history)
        #expect(
            rows(try await service.recommend(to: "u", all { $0.excluded = ["i9", "no such item"] }))
                == Set(5..<60).subtracting([9]))
        #expect(rows(try await service.recommend(to: "u", all { $0.only = ["i1", "i20", "no such item"] })) == [20])
        #expect(try await service.recommend(to: "u", all { $0.only = [] }).items.isEmpty)
        #expect(try await service.recommend(to: "u", all { $0.count = 0 }).items.isEmpty)
        await service.stop()
    }

    @Test func annotationsAreImmediate() async throws {
        let models = try TestModels(["a"])
        let service = try service(models)
        _ = try await service.append(history)
        try await service.annotate([
            AnnotationChange("i10", annotation: ItemAnnotation(title: "Ten", categories: ["even", "round"])),
            AnnotationChange("i11", annotation: ItemAnnotation(categories: ["odd"])),
            AnnotationChange("i12", annotation: ItemAnnotation(categories: ["even"], isHidden: true)),
        ])
        #expect(rows(try await service.recommend(to: "u", all { $0.categories = ["even"] })) == [10])
        #expect(rows(try await service.recommend(to: "u", all { $0.categories = ["even", "odd"] })) == [10, 11])
        let named = try await service.recommend(to: "u", all { $0.only = ["i10"] })
        #expect(named.items.map(\.title) == ["Ten"])
        try await service.hide("i13")
        #expect(rows(try await service.recommend(to: "u", all())) == Set(5..<60).subtracting([12, 13]))
        try await service.annotate([
            AnnotationChange("i13", annotation: ItemAnnotation()),
            AnnotationChange("i12", annotation: ItemAnnotation(categories: ["odd"])),
        ])
        #expect(rows(try await service.recommend(to: "u", all())) == Set(5..<60))
        #expect(rows(try await service.recommend(to: "u", all { $0.categories = ["even"] })) == [10])
        // Popular items obey the same filters.
        try await service.hide("i0")
        #expect(try await service.recommend(to: "nobody", RecommendationQuery()).items.first?.item == "i1")
        await service.stop()
    }

    @Test func theTimeOfARequestIsNotBeforeTheEvents() async throws {
        let models = try TestModels(["a"])
        let service = try service(models)
        _ = try await service.append(history)
        let early = all { $0.at = second(3) }
        await #expect { try await service.recommend(to: "u", early) } throws: {
            if case ServiceError.invalid("at", _) = $0 { true } else { false }
        }
        let event = NewEvent(user: "u", item: "i9", time: second(10))
        await #expect(throws: ServiceError.self) {
            try await service.append([event], of: "u", thenRecommend: early)
        }
        #expect(try await service.user("u").eventCount == 5, "nothing was stored")
        await service.stop()
    }
}
