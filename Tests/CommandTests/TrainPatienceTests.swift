import Foundation
import Testing

/// How long a preset waits for a better epoch.
@Suite struct TrainPatienceTests {
    private func options(_ arguments: [String]) throws -> (record: [String: Any], error: String) {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        try #require(try run(["prepare", "log.csv", "-o", "data"], in: place).status == 0)
        let shape = ["--hidden-size", "8", "--layers", "1", "--device", "cpu", "--threads", "1", "-m", "model"]
        let outcome = try run(["train", "data", "--preset", "fast"] + shape + arguments, in: place)
        #expect(outcome.status == 0)
        let file = try JSONSerialization.jsonObject(with: place.bytes("model/training.json")) as? [String: Any]
        return (try #require(file?["options"] as? [String: Any]), outcome.error)
    }

    @Test func aPresetStopsBySaying() throws {
        let (record, error) = try options([])
        #expect(record["patience"] as? Int == 7 && record["epochs"] as? Int == 16)
        #expect(error.contains("stops after 7 epochs without a better validation NDCG@10"))
    }

    @Test func givenEpochsAreAllTrained() throws {
        let (record, error) = try options(["--epochs", "3"])
        #expect(record["patience"] == nil && !error.contains("stops after"))
    }

    @Test func givenPatienceCounts() throws {
        let (record, error) = try options(["--patience", "5"])
        #expect(record["patience"] as? Int == 5 && !error.contains("stops after"))
    }
}
