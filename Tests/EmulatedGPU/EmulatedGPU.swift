import CUDABackend
import Foundation
package import Tensors

/// GPUs for tests: the emulated one (Tests/Emulator), and the machine's own where `RECBLR_TEST_GPU=1`.
public enum TestGPU {
    /// Folder of the stand-in for NVIDIA's libraries, built where it is not up to date; nil where that is not possible.
    public static let emulatorFolder = built(by: "scripts/emulator.sh", in: ".build/emulator")

    /// The same of a GPU that computes nothing and whose memory nobody may touch (Tests/NullGPU).
    public static let nullFolder = built(by: "scripts/null-gpu.sh", in: ".build/null-gpu")

    private static func built(by name: String, in folderName: String) -> String? {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let script = root.appendingPathComponent(name).path
        guard FileManager.default.fileExists(atPath: script) else { return nil }  // a package of the tests
        let build = Process()
        build.executableURL = URL(fileURLWithPath: "/bin/bash")
        build.arguments = [script]
        do { try build.run() } catch { return nil }
        build.waitUntilExit()
        precondition(build.terminationStatus == 0, "\(name) failed")
        let folder = root.appendingPathComponent(folderName).path
        return FileManager.default.fileExists(atPath: folder + "/libcuda.so.1") ? folder : nil
    }

    /// Backends on every GPU that may be tested, each opened once.
    package static let backends: [any Backend] = {
        var backends: [any Backend] = []
        if ProcessInfo.processInfo.environment["RECBLR_TEST_GPU"] == "1" {
            do { backends.append(try CUDABackend(precision: .float32)) } catch { fatalError("no GPU: \(error)") }
        }
        if let emulatorFolder {
            do {
                backends.append(try CUDABackend(precision: .float32, searching: [emulatorFolder], cacheFolder: nil))
            } catch { fatalError("no emulated GPU: \(error)") }
        }
        return backends
    }()

    /// Emulated GPUs whose approximate divisions, roots, powers and logarithms err as far as NVIDIA documents: all away from zero, all
    /// towards it, and each one way or the other.
    package static let approximateBackends: [any Backend] =
        emulatorFolder == nil
        ? []
        : [1, 2, 3].map { direction in
            do {
                let emulator = try Emulator()
                emulator.set("approximation", direction)
                return try emulator.backend()
            } catch { fatalError("no emulated GPU: \(error)") }
        }
}
