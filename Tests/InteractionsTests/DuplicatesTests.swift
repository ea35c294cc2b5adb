import Foundation
import Tensors
import Testing

@testable import Interactions

/// What says nothing new is counted, and dropped where that is asked for.
@Suite struct DuplicatesTests {
    private typealias Event = PrepareTests.Event

    private static let log = """
        user,item,time
        u,a,1
        u,b,1
        u,a,1
        u,a,2
        u,a,3
        u,c,4
        u,a,5
        v,a,1
        v,b,2

        """

    private func filters(_ duplicates: Deduplication?) -> Filters {
        var filters = Filters()
        filters.duplicates = duplicates
        return filters
    }

    @Test func byHand() throws {
        let all = try prepare(Self.log)
        #expect(all.histories == [["a", "b", "a", "a", "a", "c", "a"], ["a", "b"]])
        let times = try #require(all.summary?.times)
        #expect((times.tiedEvents, times.exactDuplicates, times.mostlyTiedUsers) == (3, 1, 0))
        #expect(all.summary?.report?.droppedDuplicates == nil)

        let exact = try prepare(Self.log, ReadOptions(), filters(.exact))
        #expect(exact.histories == [["a", "b", "a", "a", "c", "a"], ["a", "b"]])
        #expect(exact.summary?.report?.droppedDuplicates == 1 && exact.summary?.report?.droppedRepeats == nil)
        #expect(exact.summary?.times?.exactDuplicates == 0 && exact.summary?.times?.tiedEvents == 2)

        let consecutive = try prepare(Self.log, ReadOptions(), filters(.consecutive))
        #expect(consecutive.histories == [["a", "b", "a", "c", "a"], ["a", "b"]])
        #expect(consecutive.times[0] == [1, 1, 2, 4, 5], "the first of a run stays")
        let report = try #require(consecutive.summary?.report)
        #expect((report.droppedDuplicates, report.droppedRepeats, report.droppedByCore) == (1, 1, 0))
    }

    @Test func withoutTimes() throws {
        let text = "user,item\nu,a\nv,a\nu,a\nu,b\nu,a\n"
        #expect(try prepare(text, .fileOrder, filters(.consecutive)).histories == [["a", "b", "a"], ["a"]])
        #expect(
            complaint { _ = try prepare(text, .fileOrder, filters(.exact)) }
                == "exact duplicates have the same time, and this log has no times")
        #expect(try prepare(text, .fileOrder).summary?.times == nil)
    }

    /// What is dropped does not count for the k-core.
    @Test func duplicatesGoBeforeTheFilters() throws {
        var few = filters(.exact)
        few.minimumUserEvents = 2
        let prepared = try prepare("user,item,time\nu,a,1\nu,a,1\nv,a,1\nv,b,2\n", ReadOptions(), few)
        #expect(prepared.users == ["v"])
        #expect(prepared.summary?.report?.droppedDuplicates == 1 && prepared.summary?.report?.droppedByCore == 1)
    }

    /// Against a plain way to do the same, with little memory and with much.
    @Test func randomLogsAgreeWithTheDefinition() throws {
        var random = SeededGenerator(seed: 31)
        for _ in 0..<60 {
            let log = PrepareTests.randomLog(&random)
            let kind: Deduplication? = [nil, .exact, .consecutive].randomElement(using: &random)!
            let text = "user,item,time\n" + log.map { "\($0.user),\($0.item),\($0.time)\n" }.joined()
            let options = ReadOptions.with {
                $0.memory = MemoryLimits(
                    reading: Int.random(in: 1...90, using: &random), ordering: Int.random(in: 1...90, using: &random))
            }
            let prepared = try prepare(text, options, filters(kind))
            var (tied, duplicates) = (0, 0)
            for (user, id) in prepared.users.enumerated() {
                var own = log.enumerated().filter { $0.element.user == id }
                    .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
                if kind != nil {
                    var seen = Set<String>()
                    own = own.filter { seen.insert("\($0.item) \($0.time)").inserted }
                }
                if kind == .consecutive {
                    own = own.indices.filter { $0 == 0 || own[$0].item != own[$0 - 1].item }.map { own[$0] }
                }
                #expect(prepared.histories[user] == own.map(\.item))
                #expect(prepared.times[user] == own.map { Double($0.time) })
                tied += own.count { one in own.count { $0.time == one.time } > 1 }
                duplicates += own.count - Set(own.map { "\($0.item) \($0.time)" }).count
            }
            #expect(prepared.summary?.times?.tiedEvents == tied)
            #expect(prepared.summary?.times?.exactDuplicates == duplicates)
        }
    }

    @Test func whatTheTimesWere() throws {
        let dates = try #require(try prepare("user,item,time\nu,a,2022-06-24\nu,b,2021-02-01\n").summary?.times)
        #expect(dates.areDates && dates.days == ("2021-02-01", "2022-06-24"))
        #expect(dates.meaning == "dates such as '2022-06-24'")
        let numbers = try #require(try prepare("user,item,time\nu,a,2\nu,b,1\n").summary?.times)
        #expect(!numbers.areDates && numbers.first == 1_000_000_000 && numbers.last == 2_000_000_000)
        let seconds = try #require(try prepare("user,item,time\nu,a,1656105611\nu,b,0\n").summary?.times)
        #expect(seconds.areDates && seconds.meaning == "seconds since 1970")
    }
}
