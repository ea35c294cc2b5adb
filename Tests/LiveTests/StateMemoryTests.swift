import Events
import Foundation
import Identifiers
import Models
import Tensors
import Testing

@testable import Live

/// A queue of items is a list of items.
@Suite struct MetItemsTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func aQueueIsAList(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var queue = MetItems()
        var list: [Met] = []
        for _ in 0..<5000 {
            if list.count > Int(generator.next() % 200) {
                #expect(queue.removeFirst() == list.removeFirst())
            } else {
                // Of all sizes, and times that go backwards.
                let row = Int32(generator.next() >> (33 + generator.next() % 31))
                let seconds = Int64(truncatingIfNeeded: generator.next() >> (generator.next() % 64))
                queue.append(Met(row: row, seconds: seconds))
                list.append(Met(row: row, seconds: seconds))
            }
            #expect(queue.count == list.count)
            if generator.next() % 50 == 0 { #expect(queue.all == list) }
        }
        while !list.isEmpty { #expect(queue.removeFirst() == list.removeFirst()) }
        #expect(queue.all.isEmpty && queue.byteCount == MetItems().byteCount)
    }
}

#if os(Linux)
    /// What users cost is measured in processes of their own, where nobody else allocates.
    @Suite struct StateMemoryTests {
        @Test func usersCostAsMuchAsIsCounted() async {
            await #expect(processExitsWith: .success) {
                let users = try Users()
                users.add(10_000, events: 20)
                #expect(users.residentBytes < 10_000 * 4850)
                #expect((0.95...1.05).contains(users.residentOverCounted))
            }
        }

        /// All histories grow in step, where arrays would leave holes as they are copied.
        @Test func aFurtherItemCostsLessThanEightBytes() async {
            await #expect(processExitsWith: .success) {
                let users = try Users()
                users.add(1000, events: 20)
                for (events, goal) in zip([20, 40, 100, 200, 500], [40, 100, 200, 500, UserState.window]) {
                    let before = users.residentBytes
                    users.meet(goal - events)
                    #expect(users.residentBytes - before < 8 * 1000 * (goal - events))
                }
                let before = users.residentBytes
                users.meet(300)
                #expect(users.residentBytes - before < 1000 * 200)  // one more block, since items differ in size
            }
        }

        /// The memory of users who go, with histories of all lengths, is that of those who come.
        @Test func evictionMakesRoom() async {
            await #expect(processExitsWith: .success) {
                let users = try Users()
                users.limit = 8_000_000
                for number in 0..<12_000 { users.add(1, events: number % 4 == 0 ? number * 37 % 400 : number % 40) }
                #expect(users.countedBytes <= users.limit && users.residentOverCounted < 1.1)
            }
        }
    }

    /// Users of a table, with states as large as those of the default shape.
    private final class Users {
        private let table: StateTable
        private let models: TestModels
        private var number = 0
        private var baseline = 0
        private let values = [Float](repeating: 0.5, count: 1024)
        private let hidden = [Float](repeating: 0.5, count: 64)
        /// Bytes of the table beyond which users are evicted.
        var limit = Int.max

        init() throws {
            models = try TestModels(["a"])
            table = StateTable(try Oracle(models, "a").release, number: 0)
            baseline = Self.resident
        }

        func add(_ count: Int, events: Int) {
            for _ in 0..<count {
                number += 1
                let user = UserState(RawID("user\(number)"), RecurrentState(values), revision: 0)
                table.add(user)
                for _ in 0..<events { meetOne(user) }
                while table.byteCount > limit, table.removeLeastRecent() != nil {}
            }
        }

        /// All users meet `count` more items, an hour from one to the next, one item after the other.
        func meet(_ count: Int) { for _ in 0..<count { table.users.values.forEach(meetOne) } }

        private func meetOne(_ user: UserState) {
            let event = user.eventCount
            let order = EventOrder(time: second(3600 * event), position: Int64(event))
            user.note(order, item: ItemID(row: event * 7919 % 1_000_000))
            user.put(RecurrentState(values), hidden: hidden[...])
            table.count(user)
        }

        /// What the table says.
        var countedBytes: Int { table.byteCount }
        /// What the operating system says.
        var residentBytes: Int { Self.resident - baseline }
        var residentOverCounted: Double { Double(residentBytes) / Double(countedBytes) }

        /// Without the program's own code, of which more and more is read from its file.
        private static var resident: Int {
            let lines = try! String(contentsOfFile: "/proc/self/status", encoding: .utf8).split(separator: "\n")
            let line = lines.first { $0.hasPrefix("RssAnon:") }!
            return 1024 * Int(line.split(whereSeparator: \.isWhitespace)[1])!
        }
    }
#endif
