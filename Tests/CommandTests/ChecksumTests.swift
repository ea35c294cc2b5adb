import Foundation
import Testing

/// Files of one folder are bound together, and a finished training is only ever lengthened.
@Suite struct ChecksumTests {
    private func prepared(_ training: [String] = []) throws -> Workplace {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        try #require(try run(["prepare", "log.csv", "-o", "data"], in: place).status == 0)
        try #require(try train(training + ["-m", "model"], in: place).status == 0)
        return place
    }

    private func train(_ arguments: [String], in place: Workplace) throws -> Outcome {
        try run(["train", "data", "--hidden-size", "4", "--threads", "1"] + arguments, in: place)
    }

    /// Any byte of any file: nothing is measured or recommended with it, and `inspect --verify` names the file.
    @Test func everyFileIsCovered() throws {
        let place = try prepared(["--epochs", "1"])
        for folder in ["model", "data"] {
            let whole = try run(["inspect", folder, "--verify"], in: place)
            #expect(
                whole.status == 0 && whole.error.contains("files are as they were written."),
                "\(whole.error)")
            for name in try place.names(in: folder) {
                let path = "\(folder)/\(name)"
                let good = try place.bytes(path)
                for position in [good.count / 3, good.count - 1] {
                    var bad = good
                    bad[position] ^= 1
                    try bad.write(to: place.url.appendingPathComponent(path))
                    let outcome = try run(["inspect", folder, "--verify"], in: place)
                    #expect(outcome.status == 65 && outcome.error.contains(name), "\(path): \(outcome.error)")
                    if !["report.html", "training.jsonl"].contains(name) {
                        let used = try run(["evaluate", "model", "data"], in: place)
                        #expect(used.status == 65 && used.error.contains(name), "\(path): \(used.error)")
                    }
                }
                try good.write(to: place.url.appendingPathComponent(path))
            }
        }
    }

    @Test func filesOfVersion3AreToldApart() throws {
        let place = try prepared(["--epochs", "1"])
        for (folder, name) in [("model", "config.json"), ("data", "dataset.json")] {
            var object =
                try JSONSerialization.jsonObject(with: place.bytes("\(folder)/\(name)")) as! [String: Any]
            (object["files"], object["checksum"], object["format"]) = (nil, nil, 1)
            object["timestamps"] = folder == "data" ? false : nil
            try JSONSerialization.data(withJSONObject: object).write(
                to: place.url.appendingPathComponent("\(folder)/\(name)"))
        }
        let evaluated = try run(["evaluate", "model", "data"], in: place)
        let note = "was written by version 0.3.0, without checksums"
        #expect(
            evaluated.status == 0 && evaluated.error.contains("model \(note)"), "\(evaluated.error)")
        #expect(evaluated.error.contains("data \(note)"))
        let inspected = try run(["inspect", "model", "--verify"], in: place)
        #expect(inspected.status == 0 && inspected.error.contains(note), "\(inspected.error)")
    }

    /// A crafted record or result: an error, whatever its numbers.
    @Test(arguments: [
        ("\"tokensPerSecond\" : [-0-9.e+]+", "\"tokensPerSecond\" : 1e300"),
        ("\"seconds\" : [-0-9.e+]+", "\"seconds\" : -1e300"),
        ("\"bestEpoch\" : 1", "\"bestEpoch\" : 9223372036854775807"),
        ("\"cases\" : [0-9]+", "\"cases\" : -1"),
        ("\"epochs\" : 1", "\"epochs\" : 9223372036854775807"),
    ])
    func craftedNumbers(pattern: String, replacement: String) throws {
        let place = try prepared(["--epochs", "1"])
        let experiment = [
            "experiment", "dropout", "data", "-o", "out", "--epochs", "1", "--threads", "1",
        ]
        try #require(try run(experiment, in: place).status == 0)
        for path in ["model/training.json", "out/results.json"] {
            let text = String(decoding: try place.bytes(path), as: UTF8.self)
            try place.write(text.replacing(try Regex(pattern), with: replacement), path)
        }
        if !pattern.contains("seconds") {  // which results do not have
            let outcome = try run(experiment, in: place)
            #expect(outcome.status == 65 && outcome.error.contains("results.json"), "\(outcome.error)")
        }
        var object =
            try JSONSerialization.jsonObject(with: place.bytes("model/config.json")) as! [String: Any]
        (object["files"], object["checksum"], object["format"]) = (nil, nil, 1)
        try JSONSerialization.data(withJSONObject: object).write(
            to: place.url.appendingPathComponent("model/config.json"))
        for arguments in [
            ["inspect", "model"], ["evaluate", "model", "data"],
            ["train", "data", "-m", "model", "--resume"],
        ] {
            let outcome = try run(arguments, in: place)
            #expect(
                outcome.status == 65 && outcome.error.contains("training.json"),
                "\(arguments): \(outcome.error)")
        }
    }

    @Test func aFinishedTrainingIsLengthenedOrLeftAlone() throws {
        let place = try prepared(["--epochs", "2", "--schedule", "constant"])
        #expect(
            try train(["--epochs", "4", "--schedule", "constant", "-m", "whole"], in: place).status == 0)
        let same = try train(
            ["--epochs", "2", "--schedule", "constant", "-m", "model", "--resume"], in: place)
        #expect(
            same.status == 64 && same.error.contains("go on with more --epochs or --patience"),
            "\(same.error)")
        let other = try train(
            ["--epochs", "4", "--schedule", "constant", "--dropout", "0.1", "-m", "model", "--resume"],
            in: place)
        #expect(
            other.status == 65
                && other.error.hasSuffix(
                    "dropout was 0.4 and is 0.1 now; give what it began with: --dropout 0.4, or begin anew with --restart\n"
                ),
            "\(other.error)")
        let longer = ["--epochs", "4", "--schedule", "constant", "-m", "model", "--resume"]
        #expect(!place.exists("model.training"), "nothing was begun")
        let outcome = try train(longer, in: place)
        #expect(
            outcome.status == 0 && outcome.error.contains("training goes on to epoch 4"),
            "\(outcome.error)")
        #expect(try place.bytes("model/model.safetensors") == place.bytes("whole/model.safetensors"))
        #expect(!place.exists("model.training"))

        #expect(try train(["--epochs", "1", "-m", "cosine"], in: place).status == 0)
        #expect(!place.exists("cosine/checkpoint.safetensors"))
        let refused = try train(["--epochs", "2", "-m", "cosine", "--resume"], in: place)
        #expect(refused.status == 64 && refused.error.contains("--restart"), "\(refused.error)")
    }
}
