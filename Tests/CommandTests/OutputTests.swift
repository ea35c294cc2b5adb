import Foundation
import Testing

/// What people read, kept in `Golden`. `RECBLR_UPDATE_GOLDEN=1 swift test --filter CommandTests` writes it anew.
@Suite struct OutputTests {
    @Test(arguments: [
        "", "prepare", "train", "evaluate", "recommend", "import", "inspect", "experiment", "devices", "serve",
        "export",
        "store", "store import", "store export", "store backup",
    ])
    func helpIsAsItWas(command: String) throws {
        let words = command.split(separator: " ").map(String.init)
        let outcome = try run(words + ["--help"], in: Workplace())
        #expect(outcome.status == 0 && outcome.error.isEmpty)
        #expect(command.isEmpty || outcome.output.contains("Example:"))
        let difference = try differenceFromGolden(outcome.output, (["help"] + words).joined(separator: "-") + ".txt")
        #expect(difference == nil)
    }

    @Test func fromALogToRecommendations() throws {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        try place.write("item_id\ttitle\ni3\tThe third\n", "titles.tsv")
        let prepared = try run(["prepare", "log.csv", "--titles", "titles.tsv", "-o", "data"], in: place)
        #expect(prepared.status == 0 && prepared.error.contains("times: numbers that are no dates"))
        #expect(try differenceFromGolden(prepared.output, "prepare.txt") == nil)
        #expect(try run(["inspect", "data"], in: place).output == prepared.output)

        let trained = try run(
            ["train", "data", "-m", "model", "--epochs", "12", "--batch-tokens", "128", "--threads", "2"], in: place)
        #expect(trained.status == 0)
        let lines = trained.error.split(separator: "\n")
        #expect(lines.count { $0.hasPrefix("Epoch ") } == 12, "one plain line an epoch")
        #expect(
            lines.contains { $0.hasPrefix("dropout 0.4: 900 events, 15.0 in a history on average") },
            "reasons are given")
        #expect(!lines.contains { $0.contains("epochs:") }, "none for what was asked for")
        #expect(try place.names() == ["data", "log.csv", "model", "titles.tsv"], "nothing is left of the run")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: place.path("model")).sorted()
                == [
                    "config.json", "items.tsv", "model.safetensors", "popularity.i64", "report.html", "training.json",
                    "training.jsonl",
                ])
        #expect(try differenceFromGolden(masked(trained.output), "train.txt") == nil)
        let report = String(decoding: try place.bytes("model/report.html"), as: UTF8.self)
        for part in [
            "Training report: model", "900 events from log.csv", "15.0 in a history on average",
            "Last-item transitions, masked",
            "<h3>User u1</h3>", "<li>The third</li>",
        ] { #expect(report.contains(part), "\(part)") }
        let evaluated = try run(["evaluate", "model", "data"], in: place)
        #expect(try differenceFromGolden(masked(evaluated.output), "evaluate.txt") == nil)

        let asked = try run(["recommend", "model", "--data", "data", "--user", "u2", "-k", "3"], in: place)
        #expect(try differenceFromGolden(masked(asked.output), "recommend.txt") == nil)
        let explained = try run(
            ["recommend", "model", "--data", "data", "--user", "u2", "-k", "2", "--explain"], in: place)
        // Which three events weigh most depends on the processor, too.
        let anyEvents = masked(explained.output).replacing(/[0-9]+\ \ #\ \ #/, with: "#  #  #")
        #expect(try differenceFromGolden(anyEvents, "recommend-explain.txt") == nil)
        try place.write("i1 i2 i4\n\ni7\n", "histories.txt")
        let batch = try run(
            ["recommend", "model", "--histories", "histories.txt", "-k", "2", "--no-exclude-seen", "--json"], in: place)
        #expect(batch.status == 0 && batch.error.contains("each line is read as the items of a history"))
        struct Answer: Decodable {
            struct Item: Decodable { var id: String, score: Double }
            var line: Int, events: Int, recommendations: [Item]
        }
        let answers = try JSONDecoder().decode([Answer].self, from: Data(batch.output.utf8))
        #expect(answers.map(\.line) == [1, 2, 3] && answers.map(\.events) == [3, 0, 1])
        #expect(answers.allSatisfy { $0.recommendations.count == 2 })
        // The walk goes one or two on: whoever learnt anything says so.
        #expect(["i8", "i9"].contains(answers[2].recommendations[0].id))
    }

    /// Numbers with a fraction, which depend on the processor, and times are replaced.
    private func masked(_ text: String) -> String {
        text.replacing(/[-+]?[0-9]+[.][0-9]+/, with: "#").replacing(/epoch [0-9]+ of/, with: "epoch # of")
            .replacing("The third", with: "i3").replacing(/i[0-9]+/, with: "i#").replacing(/--+/, with: "--")
            .replacing(/\ \ +/, with: "  ").replacing(/\ +\n/, with: "\n")
    }
}
