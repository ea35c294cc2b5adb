import Foundation
import Testing

/// Our declarations of NVIDIA's functions, numbers and structs (CCUDA's driver.h) against NVIDIA's headers, where those can be had:
/// Tests/CUDAHeaders/headers.cpp compiles if they agree.
@Suite struct HeaderTests {
    private static let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardized
    private static let declarations = root.appendingPathComponent("Sources/Arithmetic/CCUDA/include/driver.h")
    private static let comparison = root.appendingPathComponent("Tests/CUDAHeaders/headers.cpp")

    /// A library of NVIDIA's, and its header.
    enum Library: String, CaseIterable, Sendable {
        case driver = "cuda.h"
        case compiler = "nvrtc.h"
        case products = "cublasLt.h"

        /// A macro of headers.cpp.
        var macro: String { "\(self)".uppercased() }
    }

    /// Where headers may be: where our scripts put them, in the wheels that Python knows, in a toolkit.
    private static let folders: [String] = {
        let libraries = run(root.appendingPathComponent("scripts/cuda-libraries.sh").path, []).output
        let wheels = libraries.split(whereSeparator: { ":\n".contains($0) }).map { "\($0)/../include" }
        let own = [".build/cuda-headers", ".build/nvrtc"].map { root.appendingPathComponent($0).path }
        return own + wheels + ["/usr/local/cuda/include"]
    }()

    private static func has(_ library: Library) -> Bool {
        compiler != nil && folders.contains { FileManager.default.fileExists(atPath: "\($0)/\(library.rawValue)") }
    }

    /// A compiler that knows C++17 and its library: that of Swift, or another on the path.
    private static let compiler: String? = {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let candidates = ["clang++", "g++", "c++"].flatMap { name in path.split(separator: ":").map { "\($0)/\(name)" }
        }
        return candidates.first {
            FileManager.default.isExecutableFile(atPath: $0) && compile([], declarations: declarations, by: $0).isEqual
        }
    }()

    /// Whether headers.cpp compiles with these libraries' headers, and what the compiler says.
    private static func compile(
        _ libraries: [Library], declarations: URL, by compiler: String
    ) -> (isEqual: Bool, complaints: String) {
        let ours = [
            "-I\(declarations.deletingLastPathComponent().path)", "-I\(comparison.deletingLastPathComponent().path)",
        ]
        let theirs = libraries.isEmpty ? [] : folders.flatMap { ["-isystem", $0] }
        let outcome = run(
            compiler,
            ["-std=c++17", "-fsyntax-only", "-Wall", "-Werror"] + ours + theirs + libraries.map { "-D\($0.macro)" }
                + [comparison.path])
        return (outcome.status == 0, outcome.output)
    }

    private static func run(_ program: String, _ arguments: [String]) -> (status: Int32, output: String) {
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        (process.standardOutput, process.standardError) = (pipe, pipe)
        guard (try? process.run()) != nil else { return (127, "") }
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }

    private func expectAgreement(_ library: Library) throws {
        let (isEqual, complaints) = Self.compile(
            [library], declarations: Self.declarations, by: try #require(Self.compiler))
        #expect(isEqual, "\(complaints)")
    }

    @Test(.enabled("there is no cuda.h; scripts/get-cuda-headers.sh fetches it") { has(.driver) })
    func theDriver() throws { try expectAgreement(.driver) }

    @Test(.enabled("there is no nvrtc.h; scripts/get-nvrtc.sh fetches it") { has(.compiler) })
    func theCompiler() throws { try expectAgreement(.compiler) }

    @Test(.enabled("there is no cublasLt.h; scripts/get-cuda-headers.sh --all fetches it (580 MB)") { has(.products) })
    func theProducts() throws { try expectAgreement(.products) }

    /// Functions cannot be forgotten: headers.cpp takes them from the lists of driver.h.
    @Test func noNumberIsLeftOut() throws {
        let ours = try String(contentsOf: Self.declarations, encoding: .utf8).matches(of: #/\b(CU_\w+) = \d+/#)
        let compared = try String(contentsOf: Self.comparison, encoding: .utf8).matches(of: #/NUMBER\((CU_\w+), /#)
        #expect(ours.count > 20)
        #expect(Set(ours.map { String($0.1) }) == Set(compared.map { String($0.1) }))
    }

    /// Mistakes that somebody could make in driver.h.
    @Test(
        .enabled("there is no cuda.h; scripts/get-cuda-headers.sh fetches it") { has(.driver) },
        arguments: [
            ("CU_OUT_OF_MEMORY = 2", "CU_OUT_OF_MEMORY = 3", Library.driver),
            ("(cuMemFree_v2, (cu_address address))", "(cuMemFree_v2, (unsigned address))", .driver),
            ("(cuMemHostAlloc, (void **memory, size_t bytes,", "(cuMemHostAlloc, (void **memory, int bytes,", .driver),
            ("(cuCtxSetCurrent, (void *context))", "(cuCtxSetCurrent, (void **context))", .driver),
            ("(cuStreamEndCapture, (void *stream, void **graph))", "(cuStreamEndCapture, (void *stream))", .driver),
            (
                "nvrtcGetCUBIN, (void *program, char *image)", "nvrtcGetCUBIN, (void *program, const char *image)",
                .compiler
            ),
            ("size_t workspace_bytes;\n    int status;", "int status;\n    size_t workspace_bytes;", .products),
            ("CU_TRANSPOSED = 1", "CU_TRANSPOSED = 2", .products),
        ]) func mistakesAreFound(right: String, wrong: String, library: Library) throws
    {
        guard Self.has(library) else { return print("there is no \(library.rawValue) to find a mistake with") }
        let text = try String(contentsOf: Self.declarations, encoding: .utf8)
        try #require(text.contains(right))
        let folder = temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let copy = URL(fileURLWithPath: folder).appendingPathComponent("driver.h")
        try text.replacing(right, with: wrong).write(to: copy, atomically: true, encoding: .utf8)
        #expect(!Self.compile([library], declarations: copy, by: try #require(Self.compiler)).isEqual)
    }
}
