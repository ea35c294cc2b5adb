import Foundation
import RecBLR
import Testing

/// The programs of README.md and of the documentation do what is said of them.
@Suite struct ExampleProgramTests {
    @Test func aModelIsTrainedAskedAndKept() throws {
        let shop = try Shop()
        let lines = try shop.run("TrainAndRecommend")
        // NDCG, ten items, and one for each event of a user.
        #expect(lines.count == 1 + 8 + 12)
        let ndcg = try #require(Double(lines[0].split(separator: " ").last ?? ""))
        #expect(ndcg > 0.3 && ndcg <= 1)
        let model = try ModelFolder.open(shop.url.appendingPathComponent("models/shop"))
        #expect(model.items.count == 20)
    }

    @Test func liveStatesGoOnWhereTheyWere() throws {
        let shop = try Shop()
        _ = try shop.run("TrainAndRecommend")
        let events = (0..<12).flatMap { time in ["anna a\(time)\n", "bert a\((3 * time) % 20)\n"] }
        let whole = try shop.run("LiveStates", input: events.joined())
        #expect(whole.count == events.count)
        try FileManager.default.removeItem(at: shop.url.appendingPathComponent("users.json"))
        let parts = try [events[..<7], events[7...]].flatMap { try shop.run("LiveStates", input: $0.joined()) }
        #expect(parts == whole)
    }
}
