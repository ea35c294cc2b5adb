import EmulatedGPU
import Foundation
import Tensors
import Testing

@testable import CUDABackend

/// A stand-in for NVIDIA's libraries with settings, counters and devices of its own: the loader takes a copy of the file for
/// another library, so that tests that break something disturb nobody.
final class Emulator: @unchecked Sendable {
    /// Has all three libraries.
    let folder: String
    /// Opened when it is first needed: another file that came to its place later would be taken for it.
    private lazy var library = dlopen(folder + "/libcuda.so.1", RTLD_NOW | RTLD_LOCAL)

    init() throws {
        let original = try #require(TestGPU.emulatorFolder)
        folder = temporaryFolder()
        try FileManager.default.copyItem(atPath: original + "/libcuda.so.1", toPath: folder + "/libcuda.so.1")
        for name in ["libnvrtc.so.12", "libcublasLt.so.12"] {
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/" + name, withDestinationPath: "libcuda.so.1")
        }
    }

    /// The library stays in memory: the loader would mistake another file with the same number for it.
    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// See Tests/Emulator/settings.h.
    func set(_ key: String, _ value: Int) {
        typealias Function = @convention(c) (UnsafePointer<CChar>, Int) -> Void
        unsafeBitCast(dlsym(library, "recblr_emulator_set"), to: Function.self)(key, value)
    }

    /// What was done so far.
    func count(_ what: String) -> Int {
        typealias Function = @convention(c) (UnsafePointer<CChar>) -> Int
        return unsafeBitCast(dlsym(library, "recblr_emulator_count"), to: Function.self)(what)
    }

    /// How much of these was done by `body`.
    func counts(of what: [String], in body: () -> Void) -> [Int] {
        let before = what.map(count)
        body()
        return zip(what, before).map { count($0) - $1 }
    }

    func backend(ordinal: Int = 0, cacheFolder: URL? = nil) throws(CUDAError) -> CUDABackend {
        try CUDABackend(ordinal: ordinal, precision: .float32, searching: [folder], cacheFolder: cacheFolder)
    }

    /// Puts another file in the place of a library that is not open yet.
    func replace(_ name: String, by path: String?) throws {
        try FileManager.default.removeItem(atPath: folder + "/" + name)
        if let path { try FileManager.default.copyItem(atPath: path, toPath: folder + "/" + name) }
    }
}

/// Tests that need the emulator are for machines that can build it.
extension Trait where Self == ConditionTrait {
    static var emulated: Self {
        .enabled("the emulated GPU needs Linux and clang++") { TestGPU.emulatorFolder != nil }
    }
}

/// A new folder that the caller removes.
func temporaryFolder() -> String {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("recblr-\(UUID().uuidString)")
    try! FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder.path
}

/// The same bits, where numbers are meant.
func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

extension Backend {
    /// A tensor with these values.
    func tensor(_ values: [Float], rows: Int = 1) -> (storage: Storage<Float>, tensor: Tensor) {
        let storage = allocate(values.count)
        upload(values, to: storage.tensor)
        return (storage, storage.tensor.reshaped(rows, values.count / rows))
    }
}

/// Numbers around zero.
func randomNumbers(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
}
