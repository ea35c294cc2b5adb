import CPUBackend
import Tensors
import Testing

@testable import Benchmarks

@Suite struct RankingTests {
    @Test func everyCatalogueAndBatchIsMeasured() throws {
        let bench = try RankingBench(items: [70, 300], users: [1, 3], threads: 2, budget: 0.001)
        let precisions = [Precision.float32, .bfloat16].filter(\.isAvailable).count
        #expect(bench.rankings.count == 2 * 2 * precisions)
        #expect(bench.rankings.allSatisfy { $0.seconds > 0 && $0.shareOfPeak > 0 && $0.bytesPerSecond > 0 })
        #expect(bench.passes.count == 2 && bench.load.usersPerSecond > 0 && bench.load.threads == 2)
        #expect(bench.text.contains("of 300"))
    }
}
