import Foundation
import Tensors
import Testing

@testable import Interactions

@Suite struct EventSpoolTests {
    /// A list of as many events, whatever stands in memory and whatever in the file.
    @Test func givesBackWhatWasAppended() throws {
        var random = SeededGenerator(seed: 21)
        try withTemporaryFolder { folder in
            for limit in [1, 2, 7, 64, 1 << 16] {
                var spool = EventSpool(in: folder, limit: limit)
                for count in 0..<200 {
                    #expect(spool.count == count)
                    spool.append(Event(user: Int32(count), item: Int32(-count), time: Int64(count) * 3))
                    if Bool.random(using: &random) { try spool.spill() }
                }
                for _ in 0..<2 {
                    var next = 0
                    try spool.forEach { event, position in
                        #expect(position == next)
                        #expect((event.user, event.item) == (Int32(next), Int32(-next)))
                        #expect(event.time == Int64(next) * 3)
                        next += 1
                    }
                    #expect(next == 200)
                }
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        }
    }
}
