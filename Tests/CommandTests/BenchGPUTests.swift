import EmulatedGPU
import Foundation
import Testing

/// `recblr bench gpu` says what scripts/bench-gpu.sh sets beside its peers.
@Suite(.enabled(if: isEmulated)) struct BenchGPUTests {
    /// What bench/peers/gpu_table.py reads; there with_underscores.
    struct Figures: Decodable {
        struct Scan: Decodable {
            var shape, direction: String
            var seconds: Double
            var bytes: Int
            var shareOfCopy: Double
        }
        struct Rate: Decodable {
            var precision: String
            var tokensAStep: Int
            var tokensPerSecond, epochSeconds: Double
        }
        struct TopK: Decodable {
            var items, users: Int
            var seconds: Double
        }
        struct Length: Decodable {
            var tokens, bytes: Int
            var seconds: Double
        }
        var device: String
        var copyGigabytesPerSecond: Double
        var scans: [Scan]
        var training: [Rate]
        var topK: TopK
        var lengths: [Length]
    }

    private func bench(_ more: [String], in place: Workplace, _ settings: String = "") throws -> Outcome {
        try run(["bench", "gpu", "--tiny"] + more, in: place, environment: emulated(settings))
    }

    @Test func forPrograms() throws {
        let place = try Workplace()
        let outcome = try bench(["--json", "--output", "figures.json"], in: place)
        #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let figures = try decoder.decode(Figures.self, from: Data(outcome.output.utf8))
        for name in [
            "copy_gigabytes_per_second", "share_of_copy", "tokens_a_step", "tokens_per_second", "epoch_seconds",
            "top_k",
        ] { #expect(outcome.output.contains("\"\(name)\" : "), "\(name)") }
        #expect(figures.device == "Emulated GPU 0" && figures.copyGigabytesPerSecond > 0)
        #expect(
            figures.scans.map { "\($0.shape) \($0.direction) \($0.bytes)" } == [
                "7 x 9 x 16 forward 24192", "7 x 9 x 16 backward 40320", "1 x 300 x 16 forward 115200",
                "1 x 300 x 16 backward 192000",
            ])
        for scan in figures.scans {
            let rate = Double(scan.bytes) / scan.seconds / 1e9
            #expect(abs(scan.shareOfCopy * figures.copyGigabytesPerSecond / rate - 1) < 1e-6)
        }
        let rate = try #require(figures.training.first)
        #expect(figures.training.count == 1 && rate.precision == "tf32" && rate.tokensAStep == 64)
        #expect(rate.tokensPerSecond > 0 && rate.epochSeconds > 0)
        #expect(figures.topK.items == 3000 && figures.topK.users == 3 && figures.topK.seconds > 0)
        #expect(figures.lengths.map(\.tokens) == [20, 40])
        #expect(try place.bytes("figures.json") == Data(outcome.output.utf8))
    }

    @Test func forPeople() throws {
        let place = try Workplace()
        let outcome = try bench(["--gpu", "1"], in: place, "device_count=2")
        #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
        let difference = try differenceFromGolden(masked(outcome.output), "bench-gpu.txt")
        #expect(difference == nil)
        #expect(try place.names() == [".cache"])
    }

    @Test func errors() throws {
        let place = try Workplace()
        for (settings, more, message) in [
            ("", ["--gpu", "3"], "there is no GPU 3: the last one is 0\n"),
            ("memory_bytes=43000000", [], "the GPU has no memory for another "),
            ("fail_launch_after=40", [], "CUDA_ERROR_ILLEGAL_ADDRESS, an illegal memory access was encountered\n"),
        ] {
            let outcome = try bench(more + ["--output", "figures.json"], in: place, settings)
            #expect(outcome.status == 69 && outcome.error.contains(message), "\(outcome.error)")
            #expect(outcome.output.isEmpty && !place.exists("figures.json"))
        }
    }

    /// Without what was measured, and the width that it takes.
    private func masked(_ text: String) -> String {
        text.replacing(/[0-9,.]+ GB\/s/, with: "# GB/s").replacing(/[0-9,.]+ ms/, with: "# ms")
            .replacing(/(backward|forward|step|\n[0-9]+) [ 0-9,.%]+\n/) { "\($0.output.1) #\n" }
            .replacing(/(backward|forward|step|\n[0-9]+) [ 0-9,.%]+\n/) { "\($0.output.1) #\n" }
            .replacing(/--+/, with: "--").replacing(/\ \ +/, with: "  ")
    }
}
