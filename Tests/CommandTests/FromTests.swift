import Foundation
import Testing

/// `train --from`: day two of a model.
@Suite struct FromTests {
    private static let small = ["--epochs", "8", "--hidden-size", "8", "--threads", "1", "--batch-tokens", "64"]

    /// A log of which `data` has all and `part` the events of the first users, and a model of the latter.
    private func place() throws -> Workplace {
        let place = try Workplace()
        let lines = walks().split(separator: "\n")
        try place.write(lines.joined(separator: "\n"), "log.csv")
        let part = lines.filter { !$0.hasPrefix("u5") && !$0.contains(",i3,") }
        try place.write(part.joined(separator: "\n").replacing(",i4,", with: ",gone,"), "part.csv")
        for name in ["log", "part"] {
            let prepared = try run(["prepare", "\(name).csv", "-o", name], in: place)
            try #require(prepared.status == 0, "\(prepared.error)")
        }
        try #require(try run(["train", "part", "-m", "old"] + Self.small, in: place).status == 0)
        return place
    }

    private struct Record: Decodable {
        struct Origin: Decodable { var model: String, matchedItems: Int, newItems: Int, goneItems: Int }
        struct Epoch: Decodable { var loss: Double }
        struct Options: Decodable { var epochs: Int }
        var origin: Origin?, epochs: [Epoch], options: Options
    }

    private func record(_ model: String, _ place: Workplace) throws -> Record {
        try JSONDecoder().decode(Record.self, from: place.bytes("\(model)/training.json"))
    }

    private func weights(_ model: String, _ place: Workplace) throws -> Data {
        try place.bytes("\(model)/model.safetensors")
    }

    @Test func aModelGoesOnWithOtherItems() throws {
        let place = try place()
        let outcome = try run(
            ["train", "log", "-m", "new", "--from", "old", "--threads", "1", "--batch-tokens", "64"], in: place)
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(
            outcome.error.contains(
                "continues old: 18 items of it in the data, 2 new, 1 gone\n"))
        #expect(
            outcome.error.contains(
                "5 epochs: a training that continues a model takes a tenth of those that begin one\n"))
        let (old, new) = (try record("old", place), try record("new", place))
        let origin = try #require(new.origin)
        #expect(old.origin == nil && new.options.epochs == 5)
        try #require(try run(["train", "log", "-m", "anew"] + Self.small, in: place).status == 0)
        #expect(
            new.epochs[0].loss < 0.95 * (try record("anew", place)).epochs[0].loss, "it begins where the old one ended")
        let inspected = try run(["inspect", "new", "--verify"], in: place)
        #expect(inspected.status == 0 && inspected.output.contains("D 8, L 2"), "the shape is the old model's")
        #expect(inspected.output.contains("From      the model with mark \(origin.model): 18 items of it in the data"))
        #expect(try run(["inspect", "old"], in: place).output.contains("Mark      \(origin.model)\n"))
        #expect(String(decoding: try place.bytes("new/report.html"), as: UTF8.self).contains(origin.model))
    }

    /// For production, without a number of epochs; into a folder that is there; with the epochs of another training.
    @Test func withoutValidation() throws {
        let place = try place()
        let arguments = ["train", "log", "-m", "new", "--from", "old", "--split", "none", "--threads", "1"]
        let first = try run(arguments, in: place)
        #expect(first.status == 0, "\(first.error)")
        #expect(try record("new", place).epochs.count == 5)
        let again = try run(arguments + ["--epochs-from", "old"], in: place)
        #expect(again.status == 0, "\(again.error)")
        #expect(try record("new", place).options.epochs == 8)
        let measured = try run(["train", "log", "-m", "next", "--from", "new", "--threads", "1"], in: place)
        #expect(measured.status == 0 && measured.error.contains("new was trained with another split and may have seen"))
    }

    @Test func resumedItNeedsTheSameModel() throws {
        let place = try place()
        let training = [
            "train", "log", "-m", "new", "--epochs", "2", "--schedule", "constant", "--threads", "1", "--from",
        ]
        try #require(try run(training + ["old"], in: place).status == 0)
        let longer = training.map { $0 == "2" ? "3" : $0 } + ["old"]
        try #require(try run(["train", "part", "-m", "other", "--seed", "2"] + Self.small, in: place).status == 0)
        let wrong = try run(longer.dropLast() + ["other", "--resume"], in: place)
        #expect(
            wrong.status == 65 && wrong.error.contains("it started from the model with fingerprint"), "\(wrong.error)")
        #expect(wrong.error.contains("give --from with the model that it began from"))
        let resumed = try run(longer + ["--resume"], in: place)
        #expect(resumed.status == 0, "\(resumed.error)")
        let bits = try weights("new", place)
        try #require(try run(longer, in: place).status == 0)
        #expect(try weights("new", place) == bits, "as a training that was begun so")
    }

    @Test func whatCannotGoOnIsRefused() throws {
        let place = try place()
        try place.write(walks().replacing(/,i(?=[0-9])/, with: ",other"), "strange.csv")
        try #require(try run(["prepare", "strange.csv", "-o", "strange"], in: place).status == 0)
        let before = try place.tree()
        for (arguments, status, message) in [
            ("log -m old --from old", 64, "--model old lies in old, which is read: choose another folder"),
            ("log -m new --from old --mixer lru", 64, "mixer was bdlru and is lru now"),
            ("log -m new --from old --hidden-size 64", 64, "hiddenSize was 8 and is 64 now"),
            ("log -m new --from old --layers 1", 64, "give what it began with: --layers 2"),
            ("log -m new --from old --no-repeat-aware", 64, "give what it began with: --repeat-aware"),
            ("strange -m new --from old", 65, "the model to start from has none of the dataset's items"),
            ("log -m new --from nowhere", 66, "nowhere/config.json: cannot open"),
            ("log -m new --from log", 66, "log is a dataset's folder, expected a model's"),
        ] {
            let outcome = try run(["train"] + arguments.split(separator: " ").map(String.init), in: place)
            #expect(outcome.status == status && outcome.error.contains(message), "\(arguments): \(outcome.error)")
        }
        #expect(try place.tree() == before)
        let same = try run(
            ["train", "log", "-m", "new", "--from", "old", "--hidden-size", "8", "--layers", "2", "--threads", "1"],
            in: place)
        #expect(same.status == 0, "what agrees may be said: \(same.error)")
    }
}
