import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `train --preset best`, which trains teachers first.
@Suite struct TeacherTests {
    private static let training = [
        "train", "data", "--preset", "best", "--epochs", "2", "--batch-tokens", "64", "--threads", "1",
        "--hidden-size", "8", "--layers", "1", "--device", "cpu",
    ]

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
        #expect(outcome.status == 0 && !outcome.error.contains("eacher"))
    }

    /// Killed again and again, among the teachers and after them.
    @Test func killedAndResumedGivesTheSameBytes() throws {
        let place = try prepared()
        #expect(try run(Self.training + ["-m", "whole"], in: place).status == 0)
        var (finished, kills) = (false, 0)
        for wanted in ["1.training/checkpoint.safetensors", "2/config.json", "3.training/checkpoint.safetensors"] {
            let process = try start(Self.training + ["-m", "model", "--resume"], in: place)
            while process.isRunning, !place.exists("model.training/teachers/\(wanted)") { usleep(1_000) }
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            finished = place.exists("model")
            kills += finished ? 0 : 1
        }
        #expect(kills > 0)
        if !finished {
            let refused = try run(Self.training + ["-m", "model"], in: place)
            #expect(refused.status == 64 && refused.error.contains("holds an unfinished run"))
            let other = try run(Self.training + ["-m", "model", "--resume", "--seed", "5"], in: place)
            #expect(other.status == 64 && other.error.contains("was trained with other settings or data"))
            #expect(try run(Self.training + ["-m", "model", "--resume"], in: place).status == 0)
        }
        #expect(try place.bytes("model/model.safetensors") == place.bytes("whole/model.safetensors"))
        #expect(!place.exists("model.training"))
    }

    @Test func restartThrowsTheTeachersAway() throws {
        let place = try prepared()
        let process = try start(Self.training + ["-m", "model"], in: place)
        while process.isRunning, !place.exists("model.training/teachers/1") { usleep(1_000) }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let outcome = try run(Self.training + ["-m", "model", "--restart", "--seed", "5"], in: place)
        #expect(outcome.status == 0 && !outcome.error.contains("is trained"))
        #expect(!place.exists("model.training"))
    }
}
