import EmulatedGPU
import Foundation
import Testing

/// What --device chooses, and what it says where that is not possible.
@Suite(.enabled(if: isEmulated)) struct DeviceChoiceTests {
    private static let training =
        "train data -m model --epochs 1 --hidden-size 4 --layers 1"

    private static func place() throws -> Workplace {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        try #require(try run(["prepare", "log.csv", "-o", "data"], in: place).status == 0)
        return place
    }

    private func train(_ more: String, in place: Workplace, _ environment: [String: String]) throws -> Outcome {
        try run("\(Self.training) \(more)".split(separator: " ").map(String.init), in: place, environment: environment)
    }

    private func backend(_ place: Workplace) throws -> String {
        struct Record: Decodable { var backend: String }
        return try JSONDecoder().decode(Record.self, from: place.bytes("model/training.json")).backend
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var arguments: String
        var settings = ""
        var status: Int32
        var message: String
        var testDescription: String { "\(arguments) \(settings)" }
    }

    static let errors = [
        Case(arguments: "--device cuda:7", status: 69, message: "recblr: there is no GPU 7: the last one is 0\n"),
        Case(
            arguments: "--device gpu", status: 64,
            message:
                "The value 'gpu' is invalid for '--device <device>'. Please provide one of 'auto', 'cpu', 'cuda' or "
                + "'cuda:N'."),
        Case(arguments: "--device cuda:", status: 64, message: "The value 'cuda:' is invalid"),
        Case(arguments: "--device cuda:-1", status: 64, message: "The value 'cuda:-1' is invalid"),
        Case(arguments: "--device cpu:0", status: 64, message: "The value 'cpu:0' is invalid"),
        Case(
            arguments: "--device cpu --precision tf32", status: 64,
            message: "recblr: this processor has no tf32 products (only GPUs have them): leave --precision out\n"),
        Case(
            arguments: "--device cuda", settings: "device_count=0", status: 69,
            message: "recblr: the NVIDIA driver finds no GPU\n"),
        Case(
            arguments: "--device cuda", settings: "driver_version=11080", status: 69,
            message: "recblr: the NVIDIA driver supports CUDA 11.8; 12.0 or later is needed: update the driver\n"),
        Case(
            arguments: "--device cuda", settings: "compute_major=6,compute_minor=1", status: 69,
            message: "recblr: Emulated GPU 0 has compute capability 6.1; 7.0 or later is needed\n"),
        Case(
            arguments: "--device cuda", settings: "init_error=999", status: 69,
            message: "the NVIDIA driver does not start: CUDA_ERROR_UNKNOWN, unknown error\n"),
    ]

    @Test func errorsAreOneClearSentence() throws {
        let place = try Self.place()
        for each in Self.errors {
            let outcome = try train(each.arguments, in: place, emulated(each.settings))
            #expect(outcome.status == each.status, "\(each): \(outcome.error)")
            #expect(outcome.error.contains(each.message), "\(each): \(outcome.error)")
            #expect(outcome.output.isEmpty)
            #expect(try place.names() == ["data", "log.csv"], "\(each)")
        }
    }

    @Test(.enabled(if: !systemHas("libcuda.so.1"))) func withoutADriver() throws {
        let place = try Self.place()
        let line = "\(Self.training) --device cuda"
        let outcome = try run(line.split(separator: " ").map(String.init), in: place)
        #expect(outcome.status == 69)
        #expect(outcome.error.hasPrefix("recblr: there is no NVIDIA driver here (libcuda.so.1: "), "\(outcome.error)")
        #expect(try place.names() == ["data", "log.csv"])
    }

    @Test func automaticIsTheFirstGPUThatCanBeUsed() throws {
        let place = try Self.place()
        let outcome = try train("", in: place, emulated("device_count=2"))
        #expect(outcome.status == 0 && !outcome.error.contains("GPU"), "\(outcome.error)")
        #expect(try backend(place) == "CUDA Emulated GPU 0 tf32, 1 replica")
        #expect(try train("--device cuda:1 --precision bfloat16", in: place, emulated("device_count=2")).status == 0)
        #expect(try backend(place) == "CUDA Emulated GPU 1 bfloat16, 1 replica")
    }

    /// A GPU that is there and broken costs one line, and nothing where there is none.
    @Test(arguments: [
        ("device_count=0", ""),
        ("init_error=803", "the NVIDIA driver does not start: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"),
        ("driver_version=11080", "the NVIDIA driver supports CUDA 11.8"),
        ("compute_major=6", "Emulated GPU 0 has compute capability 6.0"),
        ("memory_bytes=1000000", "the GPU has no memory for another "),
    ])
    func automaticIsElseTheProcessor(settings: String, reason: String) throws {
        let place = try Self.place()
        let outcome = try train("", in: place, emulated(settings))
        #expect(outcome.status == 0)
        let remarks = outcome.error.split(separator: "\n").filter { $0.contains("GPU") }
        #expect(remarks.count == (reason.isEmpty ? 0 : 1), "\(outcome.error)")
        #expect(
            remarks.allSatisfy { $0.hasPrefix("recblr: the GPU is left alone: ") && $0.contains(reason) },
            "\(outcome.error)")
        #expect(try backend(place).hasPrefix("CPU"))
    }

    /// What GPUs do not have is no error where nobody asked for one.
    @Test func automaticIsTheProcessorForAttention() throws {
        let place = try Self.place()
        let outcome = try train("--mixer attention", in: place, emulated(""))
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(outcome.error.contains("recblr: the GPU is left alone: attention is for processors\n"))
        #expect(try backend(place).hasPrefix("CPU"))
    }

    @Test(.enabled(if: !systemHas("libnvrtc.so.12"))) func automaticWithoutTheCompiler() throws {
        let place = try Self.place()
        let libraries = try place.libraries(["libcuda.so.1"])
        let outcome = try train("", in: place, emulated(libraries: libraries))
        #expect(outcome.status == 0)
        #expect(outcome.error.hasPrefix("recblr: the GPU is left alone: libnvrtc.so.12: cannot open shared object"))
        #expect(outcome.error.contains("pip install nvidia-cuda-nvrtc-cu12"))
    }
}
