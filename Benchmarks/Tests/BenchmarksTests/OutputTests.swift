import ArgumentParser
import CUDABackend
import EmulatedGPU
import Foundation
import Testing

@testable import Benchmarks

/// What the program is asked and what it prints.
@Suite struct OutputTests {
    @Test(arguments: [
        (["--threads", "0"], "--threads must be at least 1."),
        (["--precision", "tf32"], "--precision: this processor has no tf32 products."),
        (["scans", "--output", "none/scans.json"], "none/scans.json: cannot create"),
        (["gpu", "--gpu", "x"], "The value 'x' is invalid for '--gpu <number>'"),
    ])
    func wrongArgumentsAreToldBeforeMeasuring(arguments: [String], message: String) {
        let error = #expect(throws: (any Error).self) { try Bench.parseAsRoot(arguments) }
        #expect(error.map { Bench.message(for: $0).contains(message) } == true, "\(error.map(Bench.message) ?? "")")
    }

    /// The names that `peers/gpu_table.py` reads, and the file beside what is printed.
    @Test(.enabled(if: TestGPU.emulatorFolder != nil)) func aGPUsFiguresForPrograms() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("bench-\(UUID()).json")
        defer { try? FileManager.default.removeItem(at: file) }
        let options = try OutputOptions.parse(["--output", file.path])
        let bench = try GPUBench(emulated(), .tiny)
        try options.write(bench, text: "", keys: BenchGPU.keys)
        let figures = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        func names(_ list: String) -> Set<String>? { (figures[list] as? [[String: Any]])?.first.map { Set($0.keys) } }
        #expect(
            Set(figures.keys) == ["device", "copy_gigabytes_per_second", "scans", "training", "top_k", "lengths"])
        #expect(names("scans") == ["shape", "decays", "direction", "seconds", "bytes", "share_of_copy"])
        #expect(names("training") == ["precision", "tokens_a_step", "tokens_per_second", "epoch_seconds"])
        #expect(names("lengths") == ["tokens", "bytes", "seconds"])
        #expect((figures["top_k"] as? [String: Any]).map { Set($0.keys) } == ["items", "users", "seconds"])
    }

    @Test(.enabled(if: TestGPU.emulatorFolder != nil)) func aGPUsFiguresForPeople() throws {
        let lines = try GPUBench(emulated(), .tiny).text.split(separator: "\n").map { line in
            line.replacing(/[0-9,.]+ (GB\/s|ms)/) { "# \($0.output.1)" }
                .replacing(/(0\.999|0\.7|step|^[0-9]+) [ 0-9,.%]+$/) { "\($0.output.1) #" }
                .replacing(/\ \ +/, with: "  ")
        }
        #expect(
            lines.filter { !$0.contains("--") } == [
                "Emulated GPU 0, copy # GB/s",
                "Gated scan  ms  GB/s  of a copy",
                "7 x 9 x 16 forward, decays 0.9 to 0.999 #", "7 x 9 x 16 backward, decays 0.9 to 0.999 #",
                "7 x 9 x 16 forward, decays around 0.7 #", "7 x 9 x 16 backward, decays around 0.7 #",
                "1 x 300 x 16 forward, decays 0.9 to 0.999 #", "1 x 300 x 16 backward, decays 0.9 to 0.999 #",
                "1 x 300 x 16 forward, decays around 0.7 #", "1 x 300 x 16 backward, decays around 0.7 #",
                "Training  tokens/s  epoch, s",
                "tf32, 64 a step #",
                "Top 10 of 3,000 items for 3 users: # ms",
                "Events, forward and backward  ms  MB",
                "20 #", "40 #",
            ])
    }

    private func emulated() throws -> CUDABackend {
        try CUDABackend(searching: [TestGPU.emulatorFolder!], cacheFolder: nil)
    }
}
