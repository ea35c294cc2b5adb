package import CUDABackend
package import Foundation
import Tensors

/// A stand-in for NVIDIA's libraries with settings, counters and devices of its own: the loader takes a copy of the file for
/// another library, so that tests that break something disturb nobody.
package final class Emulator: @unchecked Sendable {
    /// Has all three libraries.
    package let folder: String
    /// Opened when it is first needed: another file that came to its place later would be taken for it.
    private lazy var library = dlopen(folder + "/libcuda.so.1", RTLD_NOW | RTLD_LOCAL)

    package init() throws {
        guard let original = TestGPU.emulatorFolder else { preconditionFailure("the emulator cannot be built here") }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("recblr-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        self.folder = folder.path
        try FileManager.default.copyItem(atPath: original + "/libcuda.so.1", toPath: self.folder + "/libcuda.so.1")
        for name in ["libnvrtc.so.12", "libcublasLt.so.12"] {
            try FileManager.default.createSymbolicLink(
                atPath: self.folder + "/" + name, withDestinationPath: "libcuda.so.1")
        }
    }

    /// The library stays in memory: the loader would mistake another file with the same number for it.
    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// See Tests/Emulator/settings.h.
    package func set(_ key: String, _ value: Int) {
        typealias Function = @convention(c) (UnsafePointer<CChar>, Int) -> Void
        unsafeBitCast(dlsym(library, "recblr_emulator_set"), to: Function.self)(key, value)
    }

    /// What was done so far.
    package func count(_ what: String) -> Int {
        typealias Function = @convention(c) (UnsafePointer<CChar>) -> Int
        return unsafeBitCast(dlsym(library, "recblr_emulator_count"), to: Function.self)(what)
    }

    /// How much of these was done by `body`.
    package func counts(of what: [String], in body: () -> Void) -> [Int] {
        let before = what.map(count)
        body()
        return zip(what, before).map { count($0) - $1 }
    }

    package func backend(ordinal: Int = 0, cacheFolder: URL? = nil) throws(CUDAError) -> CUDABackend {
        try CUDABackend(ordinal: ordinal, precision: .float32, searching: [folder], cacheFolder: cacheFolder)
    }

    /// Puts another file in the place of a library that is not open yet.
    package func replace(_ name: String, by path: String?) throws {
        try FileManager.default.removeItem(atPath: folder + "/" + name)
        if let path { try FileManager.default.copyItem(atPath: path, toPath: folder + "/" + name) }
    }
}
