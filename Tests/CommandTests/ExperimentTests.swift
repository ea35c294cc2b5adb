import Foundation
import Testing
import Training

@testable import RecBLRCommand

/// Experiments leave table, results and chart, and never make the same run twice.
@Suite struct ExperimentTests {
    private static func place() throws -> Workplace {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        try #require(try run(["prepare", "log.csv", "-o", "data"], in: place).status == 0)
        return place
    }

    private func experiment(_ arguments: String, in place: Workplace) throws -> Outcome {
        let common = "--epochs 1 --threads 1 --precision float32"
        return try run(["experiment"] + "\(arguments) \(common)".split(separator: " ").map(String.init), in: place)
    }

    private func text(_ name: String, _ place: Workplace) throws -> String {
        String(decoding: try place.bytes(name), as: UTF8.self)
    }

    @Test func finishedRunsAreNotMadeAgain() throws {
        let place = try Self.place()
        let first = try experiment("expansion data -o out", in: place)
        #expect(first.status == 0, "\(first.error)")
        #expect(first.error.contains("E = 1, seed 1 (1 of 4)\nEpoch 1  loss "))
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.path("out")).sorted() == Self.files)
        let (results, table) = (try place.bytes("out/results.json"), try text("out/table.md", place))
        #expect(table.hasPrefix("# Expansion on log.csv\n\n60 users, 20 items, 900 events. Epochs: 1. Seeds: 1.\n"))
        #expect(table.split(separator: "\n").count { $0.hasPrefix("| E = ") } == 4)

        let second = try experiment("expansion data -o out", in: place)
        #expect(second.output == first.output && !second.error.contains("Epoch"))
        #expect(second.error.split(separator: "\n").count { $0.hasSuffix("done before") } == 4)
        #expect(try place.bytes("out/results.json") == results)

        // More seeds keep what is there; another option makes all anew, and forgets nothing.
        let more = try experiment("expansion data -o out --seeds 2", in: place)
        #expect(more.error.split(separator: "\n").count { $0.hasPrefix("Epoch") } == 4)
        #expect(
            try text("out/table.md", place).split(separator: "\n").count { $0.hasPrefix("| E") && $0.contains(" ± ") }
                == 4)
        let other = try experiment("expansion data -o out --batch-tokens 64", in: place)
        #expect(other.error.split(separator: "\n").count { $0.hasPrefix("Epoch") } == 4)
        #expect(try text("out/results.json", place).split(separator: "\"bestEpoch\"").count == 1 + 12)
    }

    /// A dataset of the size of one of the paper's has the paper's figures beside its own, in the rows that the paper has.
    @Test func thePapersFiguresStandBesideOurs() throws {
        let beauty = DatasetShape(users: 22_363, items: 12_101, events: 198_502)
        let paper = try #require(PaperResults(for: beauty))
        #expect(paper.dataset == "Beauty" && paper.ablations[.full] == .init(hr: 0.0881, ndcg: 0.0446))
        #expect(paper.ablations[.singleLayer] == .init(hr: 0.0808, ndcg: 0.0403))
        #expect(PaperResults(for: DatasetShape(users: 22_363, items: 12_101, events: 198_501)) == nil)
        #expect(
            Set(ExperimentKind.ablations.variants.map(\.ablation))
                == Set(PaperResults.Ablation.allCases.map(Optional.init)))
    }

    @Test func aRunThatIsMissingIsMade() throws {
        let place = try Self.place()
        let whole = try experiment("dropout data -o out", in: place)
        var results = try JSONSerialization.jsonObject(with: place.bytes("out/results.json")) as! [String: Any]
        var runs = results["runs"] as! [Any]
        runs.remove(at: 2)
        results["runs"] = runs
        try JSONSerialization.data(withJSONObject: results).write(
            to: place.url.appendingPathComponent("out/results.json"))
        let again = try experiment("dropout data -o out", in: place)
        #expect(again.error.split(separator: "\n").count { $0.hasPrefix("Epoch") } == 1)
        #expect(again.error.contains("Dropout 0.2, seed 1 (3 of 6)\nEpoch 1"))
        // All but the speed is as it was.
        let rate = /[ 0-9,]+\n/
        #expect(again.output.replacing(rate, with: "\n") == whole.output.replacing(rate, with: "\n"))
    }

    @Test func ablationsDifferInWhatTheySay() throws {
        let place = try Self.place()
        let outcome = try experiment("ablations data -o out", in: place)
        #expect(outcome.status == 0, "\(outcome.error)")
        let rows = outcome.output.split(separator: "\n").dropFirst(2).prefix(6)
        // The rows differ in weights, but for the decays' start.
        let weights = rows.map { $0.split(whereSeparator: \.isWhitespace).dropLast().last! }
        #expect(Set(weights).count == 5 && weights[0] == weights[4])
        #expect(Set(rows.map(\.count)).count == 1, "the table lines up")
        #expect(try text("out/results.json", place).contains("\"repeatAware\" : false"))
        #expect(try text("out/chart.svg", place).contains(">Without convolution</text>"))
    }

    @Test func otherPeoplesFoldersAreLeftAlone() throws {
        let place = try Self.place()
        try FileManager.default.createDirectory(atPath: place.path("out"), withIntermediateDirectories: true)
        for (content, status, message) in [
            ("?", Int32(73), "out: cannot replace: its results.json is none that this program wrote"),
            ("{\"experiment\": \"none\", \"runs\": []}", 65, "out/results.json: not the results of an experiment"),
            ("{\"experiment\": \"dropout\", \"runs\": []}", 73, "out holds the experiment dropout"),
        ] {
            try place.write(content, "out/results.json")
            let outcome = try experiment("expansion data -o out", in: place)
            #expect(outcome.status == status && outcome.error.contains(message), "\(outcome.error)")
            #expect(try text("out/results.json", place) == content)
        }
    }

    private static let files = ["chart.svg", "results.json", "table.md"]
}
