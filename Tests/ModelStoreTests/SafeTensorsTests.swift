import Foundation
import ModelStore
import Models
import Tensors
import Testing

@Suite struct SafeTensorsTests {
    let folder: URL
    var file: URL { folder.appendingPathComponent("a.safetensors") }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("recblr-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func tidy() { try? FileManager.default.removeItem(at: folder) }

    /// A file with this header and body.
    private func write(_ header: String, body: [UInt8] = []) throws {
        let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
        try Data(length + Array(header.utf8) + body).write(to: file)
    }

    private static let sample: [SafeTensors.Named] = [
        .init(name: "w", shape: [2, 3], values: .floats([1, -2.5, 3e-30, 0, -0.0, .greatestFiniteMagnitude])),
        .init(name: "n", shape: [2], values: .integers([Int64.min, 7])),
        .init(name: "empty", shape: [0, 4], values: .floats([])),
    ]

    @Test func whatIsWrittenIsRead() throws {
        defer { tidy() }
        try SafeTensors.write(Self.sample, metadata: ["a": "b \"c\""], to: file)
        let first = try Data(contentsOf: file)
        let tensors = try SafeTensors(file)
        let expected: [Float] = [1, -2.5, 3e-30, 0, -0.0, .greatestFiniteMagnitude]
        #expect(try tensors.floats("w").map(\.bitPattern) == expected.map(\.bitPattern))
        #expect(try tensors.integers("n") == [Int64.min, 7])
        #expect(try tensors.floats("empty").isEmpty && tensors.entries["w"]?.shape == [2, 3])
        #expect(tensors.metadata == ["a": "b \"c\""])
        try SafeTensors.write(Self.sample, metadata: ["a": "b \"c\""], to: file)
        #expect(try Data(contentsOf: file) == first, "equal input, equal bytes")
        #expect((8 + first.prefix(8).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }) % 8 == 0, "aligned")
    }

    @Test func otherPrecisionsBecomeFloats() throws {
        defer { tidy() }
        try write(
            #"{"d":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"h":{"dtype":"F16","shape":[4],"data_offsets":[8,16]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[16,20]},"i":{"dtype":"I32","shape":[],"data_offsets":[20,24]}}"#,
            body: withUnsafeBytes(of: (-1.5).bitPattern.littleEndian) { Array($0) }
                + [0x00, 0x3C, 0x01, 0x00, 0x00, 0xFC, 0x00, 0x80] + [0x80, 0x3F, 0x40, 0xC0] + [
                    0xFE, 0xFF, 0xFF, 0xFF,
                ])
        let tensors = try SafeTensors(file)
        #expect(try tensors.floats("d") == [-1.5])
        #expect(try tensors.floats("h") == [1, 0x1p-24, -.infinity, -0.0])
        #expect(try tensors.floats("b") == [1, -3])
        #expect(try tensors.integers("i") == [-2])
        #expect(throws: ModelFileError.malformed(path: file.path, reason: "tensor i holds I32, expected floats")) {
            _ = try tensors.floats("i")
        }
        #expect(throws: ModelFileError.malformed(path: file.path, reason: "there is no tensor x")) {
            _ = try tensors.floats("x")
        }
    }

    @Test(arguments: [
        ("[]", "the header is not a JSON object"),
        ("{", "the header is not a JSON object"),
        (#"{"__metadata__":{"a":1}}"#, "__metadata__ is not text by key"),
        (#"{"w":3}"#, "tensor w: expected dtype, shape and two data_offsets"),
        (
            #"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#,
            "tensor w: expected dtype, shape and two data_offsets"
        ),
        (#"{"w":{"dtype":"Q4","shape":[1],"data_offsets":[0,4]}}"#, "tensor w: unknown element type Q4"),
        (#"{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, "tensor w: a negative size in shape [-1]"),
        (
            #"{"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}"#,
            "tensor w: shape [4611686018427387904, 4] is too large"
        ),
        (
            #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
            "tensor w: data_offsets [4, 12] lie outside the 8 bytes of data"
        ),
        (
            #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
            "tensor w: data_offsets [8, 0] lie outside the 8 bytes of data"
        ),
        (
            #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
            "tensor w: shape [2] of F32 needs 8 bytes, data_offsets hold 4"
        ),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F16","shape":[2],"data_offsets":[2,6]}}"#,
            "tensors a and b overlap"
        ),
    ])
    func malformedHeadersAreNamed(header: String, reason: String) throws {
        defer { tidy() }
        try write(header, body: Array(repeating: 0, count: 8))
        #expect(throws: ModelFileError.malformed(path: file.path, reason: reason)) { _ = try SafeTensors(file) }
    }

    @Test func filesThatAreTooShort() throws {
        defer { tidy() }
        try Data([1, 2, 3]).write(to: file)
        #expect(throws: ModelFileError.malformed(path: file.path, reason: "not a safetensors file: 3 bytes")) {
            _ = try SafeTensors(file)
        }
        try Data(Array(repeating: 0xFF, count: 12)).write(to: file)
        #expect(throws: ModelFileError.self) { _ = try SafeTensors(file) }
    }

    /// Any byte changed, any cut: an error or a file whose tensors can all be read.
    @Test func damageNeverTraps() throws {
        defer { tidy() }
        try SafeTensors.write(Self.sample, metadata: ["a": "b"], to: file)
        let good = [UInt8](try Data(contentsOf: file))
        var generator = SeededGenerator(seed: 6)
        var refused = 0
        for round in 0..<3000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if round % 5 == 0 { bytes.removeLast(Int.random(in: 1...bytes.count, using: &generator)) }
            try Data(bytes).write(to: file)
            do {
                let tensors = try SafeTensors(file)
                for name in tensors.entries.keys {
                    _ = try? tensors.floats(name)
                    _ = try? tensors.integers(name)
                }
            } catch { refused += 1 }
        }
        #expect(refused > 1000)
    }
}
