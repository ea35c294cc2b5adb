import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Training and evaluation on the emulated GPU, from log to model.
@Suite(.enabled(if: isEmulated)) struct GPUTests {
    private static let training =
        "train data --epochs 3 --batch-tokens 128 --threads 1 --hidden-size 16 --precision float32"

    private func command(
        _ line: String, _ more: String = "", in place: Workplace, _ environment: [String: String] = emulated()
    ) throws -> Outcome {
        try run("\(line) \(more)".split(separator: " ").map(String.init), in: place, environment: environment)
    }

    private func prepared() throws -> Workplace {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        try #require(try command("prepare log.csv -o data", in: place).status == 0)
        return place
    }

    /// What is compared of `training.json`.
    private struct Record: Decodable {
        struct Epoch: Decodable { var loss: Double }
        var backend: String
        var epochs: [Epoch]
    }

    private func record(_ model: String, _ place: Workplace) throws -> Record {
        try JSONDecoder().decode(Record.self, from: place.bytes("\(model)/training.json"))
    }

    /// The same but for the last digits, and one case in 60 whose score is as good as another's.
    private func expectAlike(_ table: String, _ other: String) {
        let (lines, others) = (table.split(separator: "\n"), other.split(separator: "\n"))
        #expect(lines.count == others.count)
        for (line, other) in zip(lines, others) {
            let (cells, expected) = (line.split(separator: " "), other.split(separator: " "))
            #expect(cells.count == expected.count, "\(line)")
            for (a, b) in zip(cells, expected) {
                let (x, y) = (Double(a), Double(b))
                if let x, let y { #expect(abs(x - y) < 0.017, "\(line)") } else { #expect(a == b) }
            }
        }
    }

    @Test func theSameModelAsOnTheProcessor() throws {
        let place = try prepared()
        let own = try command(Self.training, "--device cuda -m model", in: place)
        #expect(own.status == 0, "\(own.error)")
        try FileManager.default.moveItem(atPath: place.path("model"), toPath: place.path("gpu"))
        let other = try command(Self.training, "--device cpu -m model", in: place)
        #expect(other.status == 0)
        expectAlike(own.output, other.output)
        let (gpu, cpu) = (try record("gpu", place), try record("model", place))
        #expect(gpu.backend == "CUDA Emulated GPU 0 float32, 1 replica")
        #expect(cpu.backend.hasPrefix("CPU"))
        #expect(zip(gpu.epochs, cpu.epochs).allSatisfy { abs($0.loss - $1.loss) < 1e-4 * $1.loss })
        let report = String(decoding: try place.bytes("gpu/report.html"), as: UTF8.self)
        #expect(report.contains("Backend: CUDA Emulated GPU 0 float32, 1 replica."))
        #expect(try place.names() == [".cache", "data", "gpu", "log.csv", "model"])

        // One model gives one table, whoever ranks; the clock's time stands in the first line.
        func evaluated(_ device: String) throws -> Substring {
            let outcome = try command("evaluate gpu data --device \(device)", in: place)
            #expect(outcome.status == 0, "\(outcome.error)")
            return outcome.output.drop { $0 != "\n" }
        }
        let table = try evaluated("cuda")
        #expect(try table.count > 500 && table == evaluated("cpu"))
    }

    @Test func anExperiment() throws {
        let place = try prepared()
        let outcome = try command(
            "experiment expansion data -o out --epochs 1 --precision float32 --device cuda", in: place)
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(outcome.output.split(separator: "\n").count { $0.hasPrefix("E = ") } == 4)
        let results = String(decoding: try place.bytes("out/results.json"), as: UTF8.self)
        #expect(results.split(separator: "\"CUDA Emulated GPU 0 float32\"").count == 1 + 4)
    }

    @Test func stoppedResumedAndNotElsewhere() throws {
        let place = try prepared()
        let longer = Self.training + " --device cuda --epochs 6"
        #expect(try command(longer, "-m whole", in: place).status == 0)
        let process = try start(
            "\(longer) -m model".split(separator: " ").map(String.init), in: place, environment: emulated())
        wait(for: checkpointOfModel, by: process, in: place)
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        try #require(process.terminationStatus == 75, "five more epochs are not done at once")

        let checkpoint = try place.bytes("model.training/checkpoint.safetensors")
        for device in ["cpu", "cuda:1"] {
            let refused = try command(
                longer, "-m model --resume --device \(device)", in: place, emulated("device_count=2"))
            #expect(refused.status == 65)
            #expect(
                refused.error.contains("it ran on CUDA Emulated GPU 0 float32, 1 replica, this is C"),
                "\(refused.error)")
            #expect(try place.bytes("model.training/checkpoint.safetensors") == checkpoint)
        }
        let resumed = try command(longer, "-m model --resume", in: place)
        #expect(resumed.status == 0 && resumed.error.contains("Going on in epoch "))
        #expect(try place.bytes("model/model.safetensors") == place.bytes("whole/model.safetensors"))
    }

    /// No half model, and no checkpoint but a good one: what a broken device gives is not what was learnt.
    @Test func aDeviceThatFailsOnTheWay() throws {
        let place = try prepared()
        let short =
            "train data -m model --resume --epochs 2 --batch-tokens 512 --hidden-size 8 --layers 1 --device cuda"
        let whole = try command(short, in: place)
        #expect(whole.status == 0, "\(whole.error)")
        let bytes = try place.bytes("model/model.safetensors")
        // From the first kernel to the last, which ranks for the report's examples.
        var outcomes: [Int32] = []
        for launch in stride(from: 1, through: 601, by: 6) {
            try? FileManager.default.removeItem(atPath: place.path("model"))
            let outcome = try command(short, in: place, emulated("fail_launch_after=\(launch)"))
            outcomes.append(outcome.status)
            if outcome.status == 0 { break }
            #expect(outcome.status == 69, "\(outcome.error)")
            let reason = "failed: CUDA_ERROR_ILLEGAL_ADDRESS, an illegal memory access was encountered\n"
            #expect(outcome.error.hasSuffix(reason), "\(outcome.error)")
            #expect(!place.exists("model") && leavesNothingButACheckpoint(place))
        }
        #expect(outcomes.count > 10 && outcomes.last == 0, "\(outcomes)")
        #expect(try place.bytes("model/model.safetensors") == bytes)
    }

    /// From too little for anything to enough, each run going on where the last one ended.
    @Test func withoutEnoughMemory() throws {
        let place = try prepared()
        let line = Self.training + " --device cuda --resume"
        try #require(try command(line, "-m whole", in: place).status == 0)
        var outcomes: [Int32] = []
        for megabytes in stride(from: 4, through: 500, by: 8) {
            let outcome = try command(line, "-m model", in: place, emulated("memory_bytes=\(megabytes)000000"))
            outcomes.append(outcome.status)
            if outcome.status == 0 { break }
            #expect(outcome.status == 69, "\(megabytes) MB: \(outcome.error)")
            #expect(outcome.error.contains("the GPU has no memory for another "), "\(outcome.error)")
            #expect(!place.exists("model") && leavesNothingButACheckpoint(place))
        }
        #expect(outcomes.count > 3 && outcomes.last == 0, "\(outcomes)")
        #expect(try place.bytes("model/model.safetensors") == place.bytes("whole/model.safetensors"))
    }

    private func leavesNothingButACheckpoint(_ place: Workplace) -> Bool {
        place.exists("model.training") == place.exists("model.training/checkpoint.safetensors")
    }
}
