import EmulatedGPU
import Foundation
import Tensors
import Testing

@testable import CUDABackend

/// What the kernels are compiled for, where GPU and compiler are not of one age.
@Suite struct ArchitectureTests {
    /// NVRTC 12.9's and 13.0's, in any order.
    private static let known = [75, 100, 80, 86, 87, 89, 90, 101, 103, 120, 121, 70, 60, 50]

    @Test(arguments: [
        (90, Architecture.machineCode(90)), (70, .machineCode(70)), (121, .machineCode(121)),
        // Machine code also runs on later GPUs of the same major version.
        (88, .machineCode(87)), (109, .machineCode(103)), (125, .machineCode(121)),
        // A new generation: the driver translates the latest PTX.
        (130, .ptx(121)), (110, .ptx(103)),
        // Too old: the compiler has to say it.
        (37, .machineCode(37)),
    ])
    func theBestForAGPU(capability: Int, best: Architecture) {
        #expect(Architecture(capability, known: Self.known) == best)
        #expect(Architecture(capability, known: []) == .machineCode(capability))
    }

    @Test func optionsNameIt() {
        #expect(compilerOptions(.machineCode(86))[0] == "--gpu-architecture=sm_86")
        #expect(compilerOptions(.ptx(90))[0] == "--gpu-architecture=compute_90")
    }

    /// GPUs that came after the compiler, and what is loaded on them.
    @Test(.emulated, arguments: [(9, 5, 9, "sm_90"), (12, 0, 4, "compute_90"), (12, 3, 9, "sm_120")])
    func aGPUNewerThanTheCompiler(major: Int, minor: Int, compiler: Int, architecture: String) throws {
        let emulator = try Emulator()
        emulator.set("compute_major", major)
        emulator.set("compute_minor", minor)
        emulator.set("nvrtc_minor", compiler)
        let folder = temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for _ in 0..<2 {  // from the compiler, then from the file
            let backend = try emulator.backend(cacheFolder: URL(fileURLWithPath: folder))
            let block = backend.allocate(100)
            backend.fill(block.tensor, with: 2)
            #expect(backend.download(block.tensor) == [Float](repeating: 2, count: 100))
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(files.count == 1 && files[0].contains("-\(architecture)-nvrtc12.\(compiler)."))
    }
}

/// The options for machine code.
func compilerOptions(_ capability: Int) -> [String] { compilerOptions(.machineCode(capability)) }
