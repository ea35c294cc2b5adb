import Foundation
import Testing

/// `train --preset best`, which trains teachers first.
@Suite struct TeacherTests {
    private static let withoutEpochs = [
        "train", "data", "--preset", "best", "--batch-tokens", "64", "--threads", "1", "--hidden-size", "8", "--layers",
        "1",
        "--device", "cpu",
    ]
    private static let training = withoutEpochs + ["--epochs", "2"]

    private func prepared() throws -> Workplace {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        try #require(try run(["prepare", "log.csv", "-o", "data"], in: place).status == 0)
        return place
    }

    @Test func teachersAreTrainedAndLeaveNothingBehind() throws {
        let place = try prepared()
        let outcome = try run(Self.training + ["-m", "model"], in: place)
        #expect(outcome.status == 0)
        let lines = outcome.error.split(separator: "\n").map(String.init)
        #expect(lines.contains { $0.hasPrefix("3 teachers: ") })
        let steps = lines.filter { $0.hasSuffix(":") && !$0.contains(" teachers") }
        #expect(steps == ["Teacher 1 of 3:", "Teacher 2 of 3:", "Teacher 3 of 3:", "The model itself:"])
        #expect(lines.filter { $0.hasPrefix("Epoch ") }.count == 8)
        #expect(try place.names() == ["data", "log.csv", "model"])
        let record = try JSONSerialization.jsonObject(with: place.bytes("model/training.json")) as? [String: Any]
        #expect(Set(try #require(record?["teachers"] as? [String])).count == 3)
        #expect(try run(["evaluate", "model", "data"], in: place).status == 0)
    }

    @Test(arguments: [["--loss", "sampled"], ["--preset", "balanced"]]) func othersHaveNone(arguments: [String]) throws
    {
        let place = try prepared()
        let outcome = try run(Self.training + ["-m", "model"] + arguments, in: place)
        #expect(outcome.status == 0 && !outcome.error.contains("Teacher "))
        #expect(outcome.error.contains("no teachers: they are for the full loss") == arguments.contains("sampled"))
    }

    /// Killed again and again, among the teachers and after them. More epochs, so that none is over before it is killed.
    @Test func killedAndResumedGivesTheSameBytes() throws {
        let place = try prepared()
        let training = Self.training + ["--epochs", "40"]
        #expect(try run(training + ["-m", "whole"], in: place).status == 0)
        for wanted in ["1.training/checkpoint.safetensors", "2/config.json", "3/config.json"] {
            try kill(at: "model.training/teachers/\(wanted)", training + ["-m", "model", "--resume"], in: place)
            try #require(!place.exists("model"))
        }
        for (others, reason) in [
            ([], "holds an unfinished run"), (["--resume", "--seed", "5"], "seed 5 (there 1)"),
            (["--resume", "--split", "global-time"], "another split"),
            (["--resume", "--threads", "2"], "threads 2 (there 1)"),
            (["--resume", "--preset", "fast"], "holds the teachers of a run with --preset best"),
        ] {
            let refused = try run(training + ["-m", "model"] + others, in: place)
            #expect([64, 65].contains(refused.status) && refused.error.contains(reason), "\(refused.error)")
        }
        #expect(try run(training + ["-m", "model", "--resume"], in: place).status == 0)
        #expect(try place.bytes("model/model.safetensors") == place.bytes("whole/model.safetensors"))
        #expect(!place.exists("model.training"))
        let finished = try run(training + ["-m", "model", "--resume"], in: place)
        #expect(finished.status == 64 && finished.error.contains("its teachers are gone"))
    }

    /// Stopped in the first teacher, with another seed.
    @Test func theSeedThatHelpsIsTheModels() throws {
        let place = try prepared()
        let training = Self.training + ["-m", "model", "--epochs", "400"]
        try kill(at: "model.training/teachers/1.training/checkpoint.safetensors", training, in: place)
        let refused = try run(training + ["--resume", "--seed", "2"], in: place)
        #expect(refused.status == 65 && refused.error.contains("seed was 1 and is 2 now"), "\(refused.error)")
        #expect(refused.error.contains("--seed 1"))
    }

    /// Files that are not the program's stay, and so does what is behind a link; neither is taken for teachers.
    @Test func whatIsNoTeacherStays() throws {
        let place = try prepared()
        let alone = ["train", "data", "-m", "model", "--epochs", "1", "--hidden-size", "8", "--device", "cpu"]
        try FileManager.default.createDirectory(
            atPath: place.path("model.training/teachers/3"), withIntermediateDirectories: true)
        try place.write("mine", "model.training/teachers/essay.txt")
        try place.write("{\"my\": 1}", "model.training/teachers/3/config.json")
        try place.write("mine", "model.training/teachers/3/items.tsv")
        let outcome = try run(alone + ["--restart"], in: place)
        #expect(
            place.exists("model.training/teachers/3/items.tsv") && place.exists("model.training/teachers/essay.txt"))
        #expect(outcome.status == 64, "a folder 3 is taken for a teacher: \(outcome.error)")
        try FileManager.default.removeItem(atPath: place.path("model.training/teachers"))
        #expect(try run(alone + ["-m", "kept"], in: place).status == 0)
        try FileManager.default.createDirectory(atPath: place.path("kept-models"), withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: place.path("kept"), toPath: place.path("kept-models/1"))
        try FileManager.default.createSymbolicLink(
            atPath: place.path("model.training/teachers"), withDestinationPath: "../kept-models")
        #expect(try run(alone + ["--restart"], in: place).status == 0)
        #expect(place.exists("kept-models/1/model.safetensors"))
    }

    /// What a model's own checkpoint says is found out before teachers are trained.
    @Test func aRunWithoutTeachersGetsNone() throws {
        let place = try prepared()
        let training = Self.training + ["--epochs", "400"]
        try kill(at: checkpointOfModel, training + ["-m", "model", "--preset", "balanced"], in: place)
        let refused = try run(training + ["-m", "model", "--resume"], in: place)
        #expect(refused.status == 65 && refused.error.contains("it learns from 0 teachers, this run from 3"))
        #expect(!place.exists("model.training/teachers"))
    }

    @Test func restartThrowsTheTeachersAway() throws {
        let place = try prepared()
        try kill(
            at: "model.training/teachers/1/config.json", Self.training + ["-m", "model", "--epochs", "400"], in: place)
        try #require(place.exists("model.training/teachers/1"))
        let outcome = try run(Self.training + ["-m", "model", "--restart", "--seed", "5"], in: place)
        #expect(outcome.status == 0 && !outcome.error.contains("is trained"))
        #expect(!place.exists("model.training"))
    }

    @Test func epochsOfAModelWithTeachersAreOnesOfItsKind() throws {
        let place = try prepared()
        #expect(try run(Self.training + ["-m", "model"], in: place).status == 0)
        let others = Self.withoutEpochs + ["-m", "all", "--split", "none", "--epochs-from", "model"]
        let same = try run(others, in: place)
        #expect(same.status == 0 && !same.error.contains("other settings"), "\(same.error)")
        let alone = try run(others + ["--preset", "balanced"], in: place)
        #expect(alone.status == 0 && alone.error.contains("teachers 0 (there 3)"), "\(alone.error)")
    }
}
