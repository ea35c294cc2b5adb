import EmulatedGPU
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Whether the emulated GPU can be had.
let isEmulated = TestGPU.emulatorFolder != nil

/// The environment of a program that finds the emulated GPU, which is as `settings` say (Tests/Emulator/settings.h), and
/// its libraries in a folder.
func emulated(_ settings: String = "", libraries: String? = nil) -> [String: String] {
    ["RECBLR_CUDA_PATH": libraries ?? TestGPU.emulatorFolder!, "RECBLR_EMULATOR": settings]
}

/// Whether the program would find a library of NVIDIA's without being told where.
func systemHas(_ library: String) -> Bool {
    let folders = ["", "/usr/local/cuda/lib64/", "/usr/local/cuda/targets/x86_64-linux/lib/"]
    return folders.contains { dlopen($0 + library, RTLD_LAZY) != nil }
}

extension Workplace {
    /// Makes a folder with some of the emulated GPU's libraries; its path.
    func libraries(_ names: [String]) throws -> String {
        let folder = url.appendingPathComponent("libraries")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in names {
            try FileManager.default.createSymbolicLink(
                atPath: folder.appendingPathComponent(name).path,
                withDestinationPath: TestGPU.emulatorFolder! + "/libcuda.so.1")
        }
        return folder.path
    }
}
