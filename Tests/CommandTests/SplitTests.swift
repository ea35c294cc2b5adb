import Foundation
import Testing

/// Sessions, settable fractions, training on everything, and what is said where little is measured.
@Suite struct SplitTests {
    /// 60 sessions of two to five events, one after the other.
    private static func sessions() -> String {
        var lines = ["session_id,item_id,timestamp"]
        var time = 1_700_000_000
        for session in 0..<60 {
            for step in 0..<(2 + session % 4) {
                lines.append("s\(session),i\((session + step) % 9),\(time)")
                time += 60
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static let small = ["--hidden-size", "8", "--threads", "1", "--batch-tokens", "64"]

    private static func place() throws -> Workplace {
        let place = try Workplace()
        try place.write(sessions(), "log.csv")
        let prepared = try run(
            ["prepare", "log.csv", "-o", "data", "--min-user-events", "1", "--min-item-events", "1"], in: place)
        try #require(prepared.status == 0, "\(prepared.error)")
        return place
    }

    private struct Record: Decodable {
        struct Options: Decodable { var epochs: Int, lastEpoch: Int? }
        var bestEpoch: Int, epochs: [Empty], options: Options
        struct Empty: Decodable {}
    }

    @Test func sessionsThenEverything() throws {
        let place = try Self.place()
        let trained = try run(
            ["train", "data", "-m", "model", "--epochs", "5", "--split", "session", "--test-fraction", "0.2"]
                + Self.small,
            in: place)
        #expect(trained.status == 0, "\(trained.error)")
        // The last 12 of 60 sessions are three times 1, 2, 3 and 4 cases, the 6 before them 3, 4, 1, 2, 3, 4.
        #expect(trained.output.contains("Test, 30 cases"))
        #expect(trained.error.contains("warning: only 30 test cases: HR@10 "))
        #expect(trained.error.contains("warning: only 17 validation cases: HR@10 "))
        let evaluated = try run(["evaluate", "model", "data", "--split", "session"], in: place)
        #expect(evaluated.status == 0 && evaluated.output.hasPrefix("30 cases"))
        #expect(!evaluated.error.contains("another split"), "fractions that are not said are the model's")

        let all = ["train", "data", "-m", "all", "--split", "none"] + Self.small
        let production = try run(all + ["--epochs-from", "model"], in: place)
        #expect(production.status == 0, "\(production.error)")
        #expect(production.error.contains("all events are for training: there is no validation and no test"))
        #expect(!production.error.contains("other settings"))
        let (first, second) = (try record("model", place), try record("all", place))
        #expect(second.epochs.count == first.bestEpoch && second.options.epochs == 5)
        #expect(second.options.lastEpoch == first.bestEpoch)
        let other = try run(
            all + ["--epochs-from", "model", "--dropout", "0.25", "--seed", "7", "--layers", "1"], in: place)
        #expect(other.error.contains("for which that epoch was chosen: layer"), "\(other.error)")
        #expect(other.error.contains("dropout 0.25 (there 0.5), seed 7 (there 1)"), "\(other.error)")
        let seen = try run(["evaluate", "all", "data"], in: place)
        #expect(seen.status == 0 && seen.error.contains("(--split none) and has seen these targets"))
        #expect(try run(["inspect", "all"], in: place).status == 0)
        let again = try run(all + ["--epochs-from", "all"], in: place)
        #expect(again.status == 65 && again.error.contains("without validation, which chose no epoch: give --epochs"))
    }

    private func record(_ model: String, _ place: Workplace) throws -> Record {
        try JSONDecoder().decode(Record.self, from: place.bytes("\(model)/training.json"))
    }

    @Test func adviceWhereHistoriesAreSessions() throws {
        let place = try Self.place()
        let one = try run(["train", "data", "-m", "model", "--epochs", "1"] + Self.small, in: place)
        #expect(one.status == 0)
        #expect(one.error.contains("with leave-one-out only 60 of 150 transitions are for training"), "\(one.error)")
        // A session that goes on over the cut is the one case.
        let global = try run(
            ["train", "data", "-m", "model", "--epochs", "1", "--split", "global-time"] + Self.small, in: place)
        #expect(global.status == 65 || global.error.contains("use --split session"), "\(global.error)")
    }

    @Test(arguments: [
        ("train data -m out --split none", "--split none has no validation that chooses the epoch"),
        ("train data -m out --split none --epochs 3 --patience 2", "--patience needs validation"),
        ("train data -m out --epochs 3 --epochs-from model", "Give --epochs or --epochs-from, not both."),
        ("train data -m out --test-fraction 0.2", "--test-fraction goes with --split global-time, stream or session."),
        (
            "train data -m out --split leave-one-out --validation-fraction 0.2",
            "--validation-fraction goes with --split"
        ),
        ("train data -m out --split session --test-fraction 1", "--test-fraction must lie in (0, 1)."),
        (
            "train data -m out --split session --test-fraction 0.5 --validation-fraction 0.5",
            "must leave something to train"
        ),
        ("evaluate model data --split none", "--split none holds nothing out"),
    ])
    func misuse(_ arguments: String, _ message: String) throws {
        let outcome = try run(arguments.split(separator: " ").map(String.init), in: Workplace())
        #expect(outcome.status == 64 && outcome.error.contains(message), "\(outcome.error)")
    }
}
