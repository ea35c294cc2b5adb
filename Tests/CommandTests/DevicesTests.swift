import EmulatedGPU
import Foundation
import Testing

/// What `recblr devices` says of GPUs that can be used and of those that cannot. It never fails.
@Suite(.enabled(if: isEmulated)) struct DevicesTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var settings = ""
        /// Those of the emulated GPU that there are.
        var libraries = ["libcuda.so.1", "libnvrtc.so.12", "libcublasLt.so.12"]
        /// The list's lines below the processor.
        var lines: [String] = []
        /// What stands below the list, "" for nothing.
        var remark = ""
        var testDescription: String { "\(settings) \(libraries.count) libraries" }
    }

    static let cases = [
        Case(lines: ["cuda:0 Emulated GPU 0 4.3 GB 9.0 yes"]),
        Case(
            settings: "device_count=2,memory_bytes=85000000000,compute_major=8",
            lines: ["cuda:0 Emulated GPU 0 85.0 GB 8.0 yes", "cuda:1 Emulated GPU 1 85.0 GB 8.0 yes"]),
        Case(
            settings: "driver_version=11080",
            remark: "No GPU: the NVIDIA driver supports CUDA 11.8; 12.0 or later is needed: update the driver"),
        Case(settings: "device_count=0", remark: "No GPU: the NVIDIA driver finds no GPU"),
        Case(
            settings: "init_error=803",
            remark: "No GPU: the NVIDIA driver does not start: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, system has "
                + "unsupported display driver / cuda driver combination"),
        Case(
            settings: "compute_major=6,compute_minor=1", lines: ["cuda:0 Emulated GPU 0 4.3 GB 6.1 no"],
            remark: "cuda:0: Emulated GPU 0 has compute capability 6.1; 7.0 or later is needed"),
    ]

    @Test(arguments: cases) func listed(_ expected: Case) throws { try check(expected) }

    /// Which library, and which package brings it.
    @Test(.enabled(if: !systemHas("libnvrtc.so.12"))) func withoutTheCompiler() throws {
        try check(
            Case(
                libraries: ["libcuda.so.1", "libcublasLt.so.12"], lines: ["cuda:0 Emulated GPU 0 4.3 GB 9.0 no"],
                remark: "cuda:0: libnvrtc.so.12: cannot open shared object file: No such file or directory: install "
                    + "CUDA 12 or 13, or `pip install nvidia-cuda-nvrtc-cu12` (CUDA 13: nvidia-cuda-nvrtc), and name the "
                    + "folder of the library in RECBLR_CUDA_PATH"))
    }

    @Test(.enabled(if: !systemHas("libcublasLt.so.12"))) func withoutProducts() throws {
        try check(
            Case(
                libraries: ["libcuda.so.1", "libnvrtc.so.12"], lines: ["cuda:0 Emulated GPU 0 4.3 GB 9.0 no"],
                remark: "cuda:0: libcublasLt.so.12: cannot open shared object file: No such file or directory: install "
                    + "CUDA 12 or 13, or `pip install nvidia-cublas-cu12` (CUDA 13: nvidia-cublas), and name the folder "
                    + "of the library in RECBLR_CUDA_PATH"))
    }

    @Test(.enabled(if: !systemHas("libcuda.so.1"))) func withoutADriver() throws {
        try check(
            Case(
                libraries: [],
                remark: "No GPU: there is no NVIDIA driver here (libcuda.so.1: cannot open shared object file: No such "
                    + "file or directory)"))
    }

    struct Listing: Decodable {
        struct Device: Decodable {
            var device, name: String
            var memoryBytes: Int?
            var computeCapability: String?
            var precisions: [String]
            var problem: String?
        }
        var devices: [Device]
        var noGPU: String?
    }

    private func check(_ expected: Case) throws {
        let place = try Workplace()
        let environment = emulated(expected.settings, libraries: try place.libraries(expected.libraries))
        let text = try run(["devices"], in: place, environment: environment)
        #expect(text.status == 0 && text.error.isEmpty, "\(text.error)")
        let parts = text.output.split(separator: "\n\n")
        let lines = parts[0].split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines[0] == "Device name memory capability usable")
        #expect(lines[2].hasPrefix("cpu ") && lines[2].hasSuffix(" – – yes"))
        #expect(Array(lines.dropFirst(3)) == expected.lines)
        #expect(parts.dropFirst().joined() == (expected.remark.isEmpty ? "" : expected.remark + "\n"))

        // The same for programs.
        let json = try run(["devices", "--json"], in: place, environment: environment)
        #expect(json.status == 0 && json.error.isEmpty, "\(json.error)")
        let listing = try JSONDecoder().decode(Listing.self, from: Data(json.output.utf8))
        let gpus = listing.devices.dropFirst()
        #expect(listing.devices[0].device == "cpu" && listing.devices[0].precisions.contains("float32"))
        #expect(
            gpus.map { gpu in
                let gigabytes = String(format: "%.1f GB", Double(gpu.memoryBytes ?? 0) / 1e9)
                return [
                    gpu.device, gpu.name, gigabytes, gpu.computeCapability ?? "?", gpu.problem == nil ? "yes" : "no",
                ].joined(separator: " ")
            } == expected.lines)
        #expect(gpus.allSatisfy { $0.precisions == ["float32", "tf32", "bfloat16"] })
        let remarks = gpus.compactMap { gpu in gpu.problem.map { "\(gpu.device): \($0)" } }
        #expect((listing.noGPU.map { ["No GPU: \($0)"] } ?? []) + remarks == [expected.remark].filter { !$0.isEmpty })
        #expect(!place.exists(".cache"), "nothing is compiled for a list")
    }
}
