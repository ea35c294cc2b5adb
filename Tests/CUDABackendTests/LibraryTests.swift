import EmulatedGPU
import Foundation
import Testing

@testable import CUDABackend

/// Machines where something is missing, too old or broken: what people are told. Libraries are made for the purpose.
@Suite(.emulated) struct LibraryTests {
    /// What opening a backend says.
    private func complaint(_ emulator: Emulator, ordinal: Int = 0) -> CUDAError? {
        do {
            _ = try emulator.backend(ordinal: ordinal)
            return nil
        } catch { return error }
    }

    /// Whether the machine has a library of its own, which is then found instead of none.
    private static func hasOwn(_ name: String) -> Bool {
        let usual = ["", "/usr/local/cuda/lib64/", "/usr/local/cuda/targets/x86_64-linux/lib/"]
        return usual.contains { dlopen($0 + name, RTLD_LAZY | RTLD_LOCAL) != nil }
    }

    static let hasDriver = hasOwn("libcuda.so.1")
    static let noDriverHere: Comment = "this machine has a driver of its own"

    /// A library with all functions of a list in Sources/Arithmetic/CCUDA/include/driver.h but one; each returns 0.
    private func library(_ list: String, without absent: String, in folder: String) throws -> String {
        let source = """
            #include "driver.h"
            #define \(absent) another_\(absent)
            #define FUNCTION(name, parameters) int name parameters { return 0; }
            \(list)(FUNCTION)
            """
        try source.write(toFile: folder + "/library.c", atomically: true, encoding: .utf8)
        let headers = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/Arithmetic/CCUDA/include").path
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments = [
            "cc", "-w", "-shared", "-fPIC", "-I", headers, "-o", folder + "/library.so", folder + "/library.c",
        ]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0)
        return folder + "/library.so"
    }

    @Test(.disabled(if: hasDriver, noDriverHere)) func noDriver() throws {
        let emulator = try Emulator()
        try emulator.replace("libcuda.so.1", by: nil)
        let error = try #require(complaint(emulator))
        #expect(error.description.hasPrefix("there is no NVIDIA driver here (libcuda.so.1: "))
        #expect(error.description.contains("No such file"))
        #expect(throws: error) { try CUDADevice.all(searching: [emulator.folder]) }
    }

    @Test(.disabled(if: hasDriver, noDriverHere)) func aFileThatIsNoLibrary() throws {
        let emulator = try Emulator()
        let text = emulator.folder + "/text"
        try "this is not a driver\n".write(toFile: text, atomically: true, encoding: .utf8)
        try emulator.replace("libcuda.so.1", by: text)
        let error = try #require(complaint(emulator))
        #expect(error.description.hasPrefix("there is no NVIDIA driver here (\(emulator.folder)/libcuda.so.1: "))
        #expect(!error.description.contains("No such file"), "the file that is there is the reason")
    }

    @Test(arguments: ["cuInit", "cuGraphLaunch", "cuLaunchKernel"]) func aDriverWithoutAFunction(name: String) throws {
        let emulator = try Emulator()
        try emulator.replace("libcuda.so.1", by: try library("CU_DRIVER_FUNCTIONS", without: name, in: emulator.folder))
        let path = emulator.folder + "/libcuda.so.1"
        #expect(complaint(emulator) == .missingFunction(name, library: path))
        #expect(complaint(emulator)?.description == "\(path) has no function \(name): another version is needed")
    }

    @Test func aDriverThatDoesNotStart() throws {
        let emulator = try Emulator()
        emulator.set("init_error", 803)
        let text =
            "the NVIDIA driver does not start: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, "
            + "system has unsupported display driver / cuda driver combination"
        #expect(complaint(emulator)?.description == text)
        emulator.set("init_error", 31337)
        #expect(complaint(emulator)?.description == "the NVIDIA driver does not start: error 31337")
        emulator.set("init_error", 0)
        #expect(complaint(emulator) == nil)
    }

    @Test func aDriverThatIsTooOld() throws {
        let emulator = try Emulator()
        emulator.set("driver_version", 11080)
        let text = "the NVIDIA driver supports CUDA 11.8; 12.0 or later is needed: update the driver"
        #expect(complaint(emulator)?.description == text)
        emulator.set("driver_version", 12000)
        #expect(complaint(emulator) == nil)
    }

    @Test func noDevice() throws {
        let emulator = try Emulator()
        emulator.set("device_count", 0)
        #expect(complaint(emulator)?.description == "the NVIDIA driver finds no GPU")
        #expect(throws: CUDAError.noDevice) { try CUDADevice.all(searching: [emulator.folder]) }
    }

    @Test func devicesAreNumbered() throws {
        let emulator = try Emulator()
        emulator.set("device_count", 3)
        #expect(try CUDADevice.all(searching: [emulator.folder]).map(\.name) == (0..<3).map { "Emulated GPU \($0)" })
        #expect(try emulator.backend(ordinal: 2).name == "CUDA Emulated GPU 2 float32")
        #expect(complaint(emulator, ordinal: 3)?.description == "there is no GPU 3: the last one is 2")
        #expect(complaint(emulator, ordinal: -1) == .noSuchDevice(-1, count: 3))
    }

    @Test func aDeviceThatIsTooOld() throws {
        let emulator = try Emulator()
        emulator.set("compute_major", 6)
        emulator.set("compute_minor", 1)
        let text = "Emulated GPU 0 has compute capability 6.1; 7.0 or later is needed"
        #expect(complaint(emulator)?.description == text)
        let device = try #require(try CUDADevice.all(searching: [emulator.folder]).first)
        #expect(device.problem?.description == text && device.capabilityText == "6.1")
    }

    /// In a process of its own: the loader finds by name what another test has opened.
    @Test func aLibraryIsMissing() async {
        await #expect(processExitsWith: .success) {
            for (library, package) in [("libnvrtc.so", "nvidia-cuda-nvrtc"), ("libcublasLt.so", "nvidia-cublas")] {
                guard !LibraryTests.hasOwn(library + ".12") else { continue }
                for version in [12040, 13000] where version < 13000 || !LibraryTests.hasOwn(library + ".13") {
                    try LibraryTests().expectNo(library, package, driverVersion: version)
                }
            }
        }
    }

    private func expectNo(_ library: String, _ package: String, driverVersion: Int) throws {
        let emulator = try Emulator()
        emulator.set("driver_version", driverVersion)
        try emulator.replace(library + ".12", by: nil)
        let text =
            "\(library).12: cannot open shared object file: No such file or directory: install CUDA 12 or 13, or "
            + "`pip install \(package)-cu12` (CUDA 13: \(package)), and name the folder of the library in "
            + "RECBLR_CUDA_PATH"
        #expect(complaint(emulator)?.description == text)
        // The list of devices says the same of each.
        #expect(try CUDADevice.all(searching: [emulator.folder]).map { $0.problem?.description } == [text])
    }

    @Test(arguments: [
        ("libnvrtc.so.12", "CU_COMPILER_FUNCTIONS", "nvrtcGetCUBIN"),
        ("libcublasLt.so.12", "CU_PRODUCT_FUNCTIONS", "cublasLtMatmul"),
    ])
    func aLibraryWithoutAFunction(file: String, list: String, name: String) throws {
        let emulator = try Emulator()
        try emulator.replace(file, by: try library(list, without: name, in: emulator.folder))
        let text = "\(emulator.folder)/\(file) has no function \(name): another version is needed"
        #expect(complaint(emulator)?.description == text)
    }

    /// CUDA 13's libraries come first where the driver can run what they make.
    @Test func aNewerLibraryIsTriedFirst() throws {
        let emulator = try Emulator()
        try FileManager.default.copyItem(
            atPath: try library("CU_COMPILER_FUNCTIONS", without: "nvrtcVersion", in: emulator.folder),
            toPath: emulator.folder + "/libnvrtc.so.13")
        #expect(complaint(emulator) == nil, "a driver of CUDA 12 does not look at it")
        emulator.set("driver_version", 13000)
        #expect(complaint(emulator) == .missingFunction("nvrtcVersion", library: emulator.folder + "/libnvrtc.so.13"))
    }

    @Test func foldersOfTheEnvironment() async {
        await #expect(processExitsWith: .success) {
            setenv("RECBLR_CUDA_PATH", "/a:/b/c:", 1)
            #expect(environmentFolders() == ["/a", "/b/c"])
            unsetenv("RECBLR_CUDA_PATH")
            #expect(environmentFolders() == [])
        }
    }
}
