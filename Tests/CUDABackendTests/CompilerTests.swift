import CCUDA
import Foundation
import Testing

@testable import CUDABackend

/// The kernels' sources as they are.
@Suite struct SourceTests {
    /// Names that follow `KERNEL`, with or without launch bounds.
    static let kernels = Set(
        String(cString: cu_source_text()).matches(of: #/\nKERNEL\s+(?:__launch_bounds__\s*\([^)]*\)\s+)?(\w+)\s*\(/#)
            .map { String($0.1) })

    @Test func everyKernelHasItsCase() {
        #expect(Set(Kernel.allCases.map(\.rawValue)) == Self.kernels)
        // Nobody defines one without the macro.
        #expect(String(cString: cu_source_text()).components(separatedBy: "__global__").count == 2)
    }
}

/// The kernels through NVIDIA's compiler, for which no GPU is needed.
@Suite(.enabled(if: RealCompiler.table != nil, RealCompiler.absence)) struct CompilerTests {
    @Test(arguments: [70, 80, 90]) func everyKernelCompilesWell(capability: Int) throws {
        let compiler = try #require(RealCompiler.table)
        let options = compilerOptions(capability) + ["--ptxas-options=-v"]
        guard RealCompiler.knows(capability) else { return print("this compiler does not know sm_\(capability)") }
        let result = try compile(String(cString: cu_source_text()), options, compiler)
        let (image, kernels) = (Data(result.image), RealCompiler.properties(result.log))
        #expect(Set(kernels.keys) == SourceTests.kernels)
        for (name, properties) in kernels {
            let place = "\(name) for sm_\(capability): \(properties)"
            #expect(properties.stackBytes == 0 && properties.spilledBytes == 0, "\(place)")
            // Two blocks of 256 threads and more share the 65,536 registers of a multiprocessor.
            #expect((1...128).contains(properties.registers), "\(place)")
            let most = Self.mostDynamicBytes[name] ?? 0
            #expect(properties.sharedBytes + most <= 48 << 10, "\(place), \(most) bytes when it is launched")
            #expect(image.range(of: Data(("\0" + name + "\0").utf8)) != nil, "\(place) is not in the machine code")
        }
        print("sm_\(capability): most registers", kernels.values.map(\.registers).max() ?? 0)
    }

    /// Shared memory whose size is known at the launch only, at most.
    private static let mostDynamicBytes = [
        Kernel.softmaxRows.rawValue: BiasSums.maximumSharedBytes,
        Kernel.sampledSoftmaxRows.rawValue: BiasSums.maximumSharedBytes,
        Kernel.residualNormBackward.rawValue: (1...4096).map {
            Geometry.normBackward(rows: 1 << 20, width: $0).sharedBytes
        }.max()!,
    ]

    /// What GPUs get that are newer than the compiler.
    @Test func itMakesPTXToo() throws {
        let compiler = try #require(RealCompiler.table)
        #expect(Set(compiler.capabilities).isSuperset(of: [80, 90]))
        let options = compilerOptions(Architecture(999, known: compiler.capabilities))
        let text = try compile(String(cString: cu_source_text()), options, compiler).image
        #expect(text.last == 0)
        let entries = String(decoding: text, as: UTF8.self).matches(of: #/\.entry (\w+)\(/#).map { String($0.1) }
        #expect(Set(entries) == SourceTests.kernels)
    }

    @Test func mistakesAreTold() throws {
        let compiler = try #require(RealCompiler.table)
        let error = #expect(throws: CUDAError.self) {
            try compile("#error here is the mistake\n", compilerOptions(80), compiler)
        }
        let text = try #require(error?.description)
        #expect(
            text.hasPrefix("the kernels do not compile for this GPU: recblr.cu(1): ")
                && text.contains("here is the mistake"))
    }
}

/// NVIDIA's compiler in the folder where scripts/get-nvrtc.sh puts it.
private enum RealCompiler {
    static let absence: Comment = "NVIDIA's compiler is not here; scripts/get-nvrtc.sh fetches it"

    static let table: cu_compiler? = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let path = root.appendingPathComponent(".build/nvrtc/libnvrtc.so.12").path
        guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL) else { return nil }
        var table = cu_compiler()
        return cu_load_compiler(library, &table) == nil ? table : nil
    }()

    /// Old architectures leave the compiler in time.
    static func knows(_ capability: Int) -> Bool {
        guard let table else { return false }
        return capability >= 80 || (try? compile("", compilerOptions(capability), table)) != nil
    }

    struct Properties {
        var stackBytes = -1
        var spilledBytes = -1
        var registers = 0
        var sharedBytes = 0
    }

    /// What `--ptxas-options=-v` says of each kernel.
    static func properties(_ log: String) -> [String: Properties] {
        var all: [String: Properties] = [:]
        var name = ""
        for line in log.split(separator: "\n") {
            if let match = line.firstMatch(of: #/Compiling entry function '(\w+)'/#) {
                name = String(match.1)
                all[name] = Properties()
            }
            if let match = line.firstMatch(
                of: #/(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads/#)
            {
                all[name]?.stackBytes = Int(match.1)!
                all[name]?.spilledBytes = Int(match.2)! + Int(match.3)!
            }
            if let match = line.firstMatch(of: #/Used (\d+) registers/#) { all[name]?.registers = Int(match.1)! }
            if let match = line.firstMatch(of: #/(\d+) bytes smem/#) { all[name]?.sharedBytes = Int(match.1)! }
        }
        return all
    }
}
