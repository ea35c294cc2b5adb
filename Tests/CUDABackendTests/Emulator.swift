import EmulatedGPU
import Foundation
import Tensors
import Testing

@testable import CUDABackend

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
