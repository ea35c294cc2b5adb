import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A run that is killed or stopped and gone on with ends with the same bytes as one that is left alone.
@Suite struct InterruptionTests {
    private static let training = [
        "train", "data", "--epochs", "6", "--batch-tokens", "64", "--threads", "2", "--hidden-size", "16",
    ]

    private func prepared() throws -> Workplace {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        try #require(try run(["prepare", "log.csv", "-o", "data"], in: place).status == 0)
        return place
    }

    @Test func killedAtRandomAndResumed() throws {
        let place = try prepared()
        #expect(try run(Self.training + ["-m", "whole"], in: place).status == 0)
        var random: UInt64 = 12345
        for kills in 0... {
            let process = try start(Self.training + ["-m", "model", "--resume"], in: place)
            if kills < 6 {
                wait(for: checkpointOfModel, by: process, in: place)
                random = random &* 6_364_136_223_846_793_005 &+ 1
                usleep(UInt32(random >> 40) % 60_000)
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
                if place.exists("model") { break }
            } else {
                process.waitUntilExit()
                #expect(process.terminationStatus == 0)
                break
            }
        }
        #expect(try place.bytes("model/model.safetensors") == place.bytes("whole/model.safetensors"))
        let log = String(decoding: try place.bytes("model/training.jsonl"), as: UTF8.self)
        #expect(log.split(separator: "\n").count == 6)
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func stoppedPolitelyAndResumed(signal: Int32) throws {
        let place = try prepared()
        #expect(try run(Self.training + ["-m", "whole"], in: place).status == 0)
        let process = try start(Self.training + ["-m", "model"], in: place)
        wait(for: checkpointOfModel, by: process, in: place)
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        if process.terminationReason == .exit, process.terminationStatus == 0 { return }  // it was over before
        #expect(process.terminationReason == .exit && process.terminationStatus == 75)

        let refused = try run(Self.training + ["-m", "model"], in: place)
        #expect(refused.status == 64 && refused.error.contains("holds an unfinished run"))
        #expect(try run(Self.training + ["-m", "model", "--resume"], in: place).status == 0)
        #expect(try place.bytes("model/model.safetensors") == place.bytes("whole/model.safetensors"))
    }

    @Test func hangingUpMeansNothingToNohup() throws {
        let place = try prepared()
        let process = try start(
            ["-c", "trap '' HUP; exec \"$0\" \"$@\"", program.path] + Self.training + ["-m", "model"],
            of: URL(fileURLWithPath: "/bin/sh"), in: place)
        wait(for: checkpointOfModel, by: process, in: place)
        kill(process.processIdentifier, SIGHUP)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    }

    /// The second signal ends the program while other threads are at work: without running what libraries do at the end.
    @Test func stoppedTwice() throws {
        let place = try prepared()
        for number in 0..<20 {
            let process = try start(
                ["train", "data", "-m", "model\(number)", "--epochs", "500", "--hidden-size", "64", "--threads", "2"],
                in: place)
            wait(for: "model\(number).training/checkpoint.safetensors", by: process, in: place)
            usleep(UInt32.random(in: 0..<30_000))
            kill(process.processIdentifier, SIGINT)
            kill(process.processIdentifier, SIGTERM)
            process.waitUntilExit()
            #expect(process.terminationReason == .exit && process.terminationStatus == 75)
        }
    }
}
