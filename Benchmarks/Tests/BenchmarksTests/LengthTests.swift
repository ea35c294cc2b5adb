import Testing

@testable import Benchmarks

@Suite struct LengthTests {
    /// In a process of its own, where no other test allocates: bytes are exact.
    @Test func lengthsAreMeasuredOneByOne() async {
        await #expect(processExitsWith: .success) {
            let rows = LengthBench(lengths: [96, 64, 32]).rows
            #expect(rows.map(\.length) == [96, 64, 32])
            let alone = try #require(LengthBench(lengths: [32]).rows.first)
            let costs =
                [\.forward, \.training, \.attentionForward, \.attentionTraining]
                as [KeyPath<LengthBench.Row, LengthBench.Cost>]
            for cost in costs {
                let bytes = rows.map { $0[keyPath: cost].bytes }
                #expect(bytes[2] == alone[keyPath: cost].bytes, "what longer ones needed does not count")
                #expect(bytes[2] > 0 && rows.allSatisfy { $0[keyPath: cost].nanoseconds > 0 })
            }
            // The recurrence's memory grows by as much with each token, attention's by more, up to tiles of 64 rows.
            for cost in costs.prefix(2) {
                let bytes = rows.map { $0[keyPath: cost].bytes }
                #expect(bytes[0] - bytes[1] == bytes[1] - bytes[2] && bytes[1] > bytes[2])
            }
            for cost in costs.suffix(2) {
                let bytes = rows.map { $0[keyPath: cost].bytes }
                #expect(bytes[0] - bytes[1] > bytes[1] - bytes[2] && bytes[1] > bytes[2])
            }
        }
    }

    @Test func lengthsAreThoseOfTheFigure() {
        #expect(LengthBench.lengths == [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600])
        #expect(LengthBench(lengths: []).rows.isEmpty)
    }
}
