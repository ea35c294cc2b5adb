import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The program deletes its own files only, and those only when everything has been checked.
@Suite struct OwnershipTests {
    private static let small = ["--epochs", "1", "--hidden-size", "4", "--threads", "1"]

    private func prepared() throws -> Workplace {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        try #require(try run(["prepare", "log.csv", "-o", "data"], in: place).status == 0)
        return place
    }

    private func folder(_ name: String, in place: Workplace) throws {
        try FileManager.default.createDirectory(atPath: place.path(name), withIntermediateDirectories: true)
    }

    private func train(_ arguments: [String], in place: Workplace) throws -> Outcome {
        try run(["train", "data"] + arguments, in: place)
    }

    @Test func strangersInTheRunsFolderStay() throws {
        let place = try prepared()
        try folder("shop.training/deep", in: place)
        try place.write("x", "shop.training/notes.txt")
        try place.write("y", "shop.training/deep/checkpoint.safetensors")
        let outcome = try train(["-m", "shop"] + Self.small, in: place)
        #expect(outcome.status == 0 && outcome.error.contains("shop.training stays: it holds deep and 1 more"))
        #expect(
            outcome.error.split(separator: "\n").contains { $0.hasPrefix("recblr: note: ") && $0.contains(" stays: ") })
        #expect(try place.names(in: "shop.training") == ["deep", "notes.txt"])
        #expect(place.exists("shop.training/deep/checkpoint.safetensors"))
        #expect(try place.names(in: "shop").filter { $0.hasPrefix(".") }.isEmpty)
    }

    @Test func aLogOfSomebodyElseIsNotOverwritten() throws {
        let place = try prepared()
        try folder("shop.training", in: place)
        try place.write("precious", "shop.training/training.jsonl")
        let outcome = try train(["-m", "shop"] + Self.small, in: place)
        #expect(outcome.status == 73 && outcome.error.contains("is no log of this program"), "\(outcome.error)")
        #expect(try place.bytes("shop.training/training.jsonl") == Data("precious".utf8))
    }

    /// A checkpoint goes when all that was asked for has been found right, not before.
    @Test func restartThrowsNothingAwayBeforeAllIsChecked() throws {
        let place = try prepared()
        let process = try start(
            ["train", "data", "-m", "model", "--epochs", "2000", "--hidden-size", "4", "--threads", "1"], in: place)
        wait(for: checkpointOfModel, by: process, in: place)
        let busy = try train(["-m", "model"] + Self.small, in: place)
        #expect(busy.status == 73 && busy.error.contains("another training into"), "\(busy.error)")
        #expect(busy.error.contains("holds the lock on") && busy.error.contains("model.training"))
        let importing = try run(["import", "x", "--length", "8", "-m", "model"], in: place)
        #expect(importing.status == 73 && importing.error.contains("another training into"), "\(importing.error)")
        kill(process.processIdentifier, SIGTERM)
        process.waitUntilExit()
        #expect(process.terminationStatus == 75)
        let checkpoint = try place.bytes("model.training/checkpoint.safetensors")
        for (arguments, status) in [
            (["--restart", "--dropout", "7"], Int32(64)), (["--restart", "--resume"], 64),
            (["--restart", "--split", "global-time", "--loss", "none"], 64), (["--restart", "--hidden-size", "0"], 64),
            (["--restart", "--precision", "tf32"], 64),
        ] {
            let outcome = try train(["-m", "model"] + arguments, in: place)
            #expect(outcome.status == status, "\(arguments): \(outcome.error)")
            #expect(try place.bytes("model.training/checkpoint.safetensors") == checkpoint, "\(arguments)")
        }
        #expect(try run(["train", "none", "-m", "model", "--restart"], in: place).status == 66)
        #expect(try place.bytes("model.training/checkpoint.safetensors") == checkpoint)
        #expect(try train(["-m", "model", "--restart"] + Self.small, in: place).status == 0)
        #expect(!place.exists("model.training"))

        let model = try place.bytes("model/model.safetensors")
        let again = try train(["-m", "model", "--resume"] + Self.small, in: place)
        #expect(again.status == 64 && again.error.contains("model is finished, after epoch 1"), "\(again.error)")
        #expect(try place.bytes("model/model.safetensors") == model)
        #expect(!place.exists("model.training"))
    }

    /// Paths that can only be slips, in every command that writes a folder.
    @Test(arguments: ["", " ", ".", "./", "/", "..", "~", "data/..", "../"])
    func slipsAreUsageErrors(path: String) throws {
        let place = try prepared()
        let before = try place.names()
        for arguments in [
            ["train", "data", "-m"], ["prepare", "log.csv", "-o"], ["experiment", "dropout", "data", "-o"],
            ["import", "log.csv", "--length", "8", "-m"],
        ] {
            let outcome = try run(arguments + [path], in: place)
            #expect(outcome.status == 64, "\(arguments) '\(path)': \(outcome.error)")
            #expect(try place.names() == before)
        }
    }

    @Test(arguments: [
        (["train", "data", "-m", "data"], Int32(64), "lies in data, which is read"),
        (
            ["train", "data", "-m", "data/model"], 64,
            "data/model lies in data, where nothing but the files of its dataset belongs"
        ),
        (["train", "other", "-m", "data/deep/model"], 64, "data/deep/model lies in data, where nothing but"),
        (["prepare", "log.csv", "-o", "data/again"], 64, "data/again lies in data, where nothing but"),
        (["prepare", "log.csv", "-o", "model/data"], 64, "its model belongs: choose another place"),
        (["recommend", "model", "--history", "i1", "--output", "model/config.json"], 64, "its model belongs"),
        (["recommend", "model", "--history", "i1", "--output", "other/x.csv"], 64, "its dataset belongs"),
        (["experiment", "dropout", "data", "-o", "data"], 64, "lies in data, which is read"),
        (["train", "data", "-m", "other"], 73, "it holds dataset.json, which does not belong there"),
        (["prepare", "log.csv", "-o", "model"], 73, "it holds config.json, which does not belong there"),
        (["train", "data", "-m", "log.csv"], 73, "it is a file, expected a folder or nothing"),
        (["train", "data", "-m", "log.csv/model"], 73, "Not a directory"),
        (["prepare", "log.csv", "-o", "log.csv"], 73, "it is a file, expected a folder or nothing"),
        (["train", "data", "-m", "theirs"], 73, "its config.json is none that this program wrote for a model"),
        (["prepare", "log.csv", "-o", "list"], 73, "it holds items.tsv but no dataset.json"),
    ])
    func placesThatAreTaken(arguments: [String], status: Int32, message: String) throws {
        let place = try prepared()
        try #require(try run(["prepare", "log.csv", "-o", "other"], in: place).status == 0)
        try #require(try train(["-m", "model"] + Self.small, in: place).status == 0)
        for (name, text) in [
            ("theirs/config.json", "{\"architectures\": []}"), ("theirs/model.safetensors", "x"),
            ("list/items.tsv", "x"),
        ] {
            try folder((name as NSString).deletingLastPathComponent, in: place)
            try place.write(text, name)
        }
        let before = try place.tree()
        let outcome = try run(arguments, in: place)
        #expect(outcome.status == status && outcome.error.contains(message), "\(outcome.error)")
        #expect(try place.tree() == before)
    }

    /// What a kill at the worst moment leaves blocks no later run and goes with it.
    @Test func leftoversBlockNobody() throws {
        let place = try prepared()
        let experiment = ["experiment", "dropout", "data", "-o", "out", "--epochs", "1", "--threads", "1"]
        #expect(try run(experiment, in: place).status == 0)
        #expect(try train(["-m", "model"] + Self.small, in: place).status == 0)
        for name in ["model/.training.jsonl.77.tmp", "out/.results.json.4294967295.tmp", "data/.items.i32.1.tmp"] {
            try place.write("half", name)
        }
        for name in [".model.5.tmp", ".model.6.old", ".data.5.tmp"] {
            try folder(name, in: place)
            try place.write("half", name + "/items.tsv")
        }
        #expect(try run(experiment, in: place).status == 0)
        #expect(try train(["-m", "model"] + Self.small, in: place).status == 0)
        #expect(try run(["prepare", "log.csv", "-o", "data"], in: place).status == 0)
        #expect(try place.names() == ["data", "log.csv", "model", "out"])
        #expect(try place.tree().filter { $0.hasSuffix(".tmp") } == [])
    }
}
