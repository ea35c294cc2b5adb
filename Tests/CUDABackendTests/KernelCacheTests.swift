import CCUDA
import EmulatedGPU
import Foundation
import Testing

@testable import CUDABackend

/// Machine code on disk: compiled once for a source, an architecture and a version of the compiler.
@Suite(.emulated) final class KernelCacheTests {
    private let folder = URL(fileURLWithPath: temporaryFolder()).appendingPathComponent("recblr/kernels")
    private let emulator: Emulator

    init() throws { emulator = try Emulator() }

    deinit { try? FileManager.default.removeItem(at: folder.deletingLastPathComponent().deletingLastPathComponent()) }

    private var files: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()) ?? []
    }

    private func open() throws { _ = try emulator.backend(cacheFolder: folder) }

    /// The only file.
    private var file: URL { folder.appendingPathComponent(files[0]) }

    /// When the only file was written, in a form that no clock is too coarse for.
    private func identity() throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: file.path)[.systemFileNumber] as? Int)
    }

    /// The emulator's compiler, and one that takes nothing, which shows whether it is asked.
    private func compilers() throws -> (cu_compiler, broken: cu_compiler) {
        let compiler = try Libraries(searching: [emulator.folder]).compiler().0
        var broken = compiler
        broken.nvrtcCreateProgram = { _, _, _, _, _, _ in 1 }
        return (compiler, broken)
    }

    @Test func theSecondProcessUsesTheFile() throws {
        try open()
        #expect(files.count == 1)
        #expect(files[0].contains(#/^[0-9a-f]+-sm_90-nvrtc12\.9\.cubin$/#))
        let first = try identity()
        let (compiler, broken) = try compilers()
        let known = try KernelCache(folder: folder).image(90, broken, version: (12, 9))
        #expect(try known == compile(String(cString: cu_source_text()), compilerOptions(90), compiler).image)
        #expect(throws: CUDAError.self) { try KernelCache(folder: folder).image(90, broken, version: (12, 8)) }
        #expect(throws: CUDAError.self) { try KernelCache(folder: folder).image(80, broken, version: (12, 9)) }
        try open()
        #expect(try identity() == first)
    }

    enum Damage: CaseIterable, Sendable { case empty, cut, changed, foreign, otherDevice }

    @Test(arguments: Damage.allCases) func aDamagedFileIsReplaced(damage: Damage) throws {
        try open()
        let whole = try Data(contentsOf: file)
        var bytes = whole
        switch damage {
        case .empty: bytes = Data()
        case .cut: bytes.removeLast(11)
        case .changed: bytes[bytes.count / 2] ^= 1
        case .foreign: bytes = Data("this is no machine code, but it is long enough to be mistaken for some".utf8)
        case .otherDevice:
            let other = temporaryFolder()
            defer { try? FileManager.default.removeItem(atPath: other) }
            let compiler = try compilers().0
            _ = try KernelCache(folder: URL(fileURLWithPath: other)).image(80, compiler, version: (12, 9))
            let name = try #require(try FileManager.default.contentsOfDirectory(atPath: other).first)
            bytes = try Data(contentsOf: URL(fileURLWithPath: other + "/" + name))
        }
        try bytes.write(to: file)
        #expect(bytes != whole)
        if damage != .otherDevice {  // which the driver has to find out; the others never reach it
            let broken = try compilers().broken
            #expect(throws: CUDAError.self) { try KernelCache(folder: folder).image(90, broken, version: (12, 9)) }
        }
        try open()
        #expect(try Data(contentsOf: file) == whole)
    }

    @Test func aFolderThatCannotBeWritten() throws {
        try FileManager.default.createDirectory(
            at: folder.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data().write(to: folder)  // a file where the folder should be: not even root can write into it
        try open()
        #expect(files.isEmpty)
    }

    @Test func withoutAFolderNothingIsKept() throws {
        _ = try emulator.backend(cacheFolder: nil)
        #expect(files.isEmpty)
    }

    @Test func deviceAndCompilerHaveFilesOfTheirOwn() throws {
        try open()
        emulator.set("compute_major", 8)
        try open()
        emulator.set("nvrtc_minor", 8)
        try open()
        let names = files.map { $0.drop { $0 != "-" } }.sorted()
        #expect(names == ["-sm_80-nvrtc12.8.cubin", "-sm_80-nvrtc12.9.cubin", "-sm_90-nvrtc12.9.cubin"])
    }

    @Test func hashesAreFowlerNollVos() {
        #expect(fnv1a([]) == 0xCBF2_9CE4_8422_2325)
        #expect(fnv1a("foobar".utf8) == 0x8594_4171_F739_67E8)
    }

    @Test func theUsualFolder() {
        #expect(standardKernelFolder().path.hasSuffix("/recblr/kernels"))
    }
}
