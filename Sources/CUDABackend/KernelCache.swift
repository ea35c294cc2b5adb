import CCUDA
import Foundation

/// The kernels as machine code for one device: compiled at first use and kept on disk.
struct KernelCache {
    /// Where machine code is kept; nil keeps nothing.
    let folder: URL?

    /// Machine code for a compute capability (90). What is on disk was compiled from the same source, with the same options,
    /// by the same version of the compiler; where nothing can be written, the next process compiles again.
    func image(
        _ capability: Int, _ compiler: cu_compiler, version: (Int, Int), refresh: Bool = false
    ) throws(CUDAError) -> [UInt8] {
        let source = String(cString: cu_source_text())
        let key = String(fnv1a((compilerOptions.joined() + source).utf8), radix: 16)
        let file = folder?.appendingPathComponent("\(key)-sm_\(capability)-nvrtc\(version.0).\(version.1).cubin")
        if !refresh, let file, let known = try? Data(contentsOf: file), !known.isEmpty { return Array(known) }
        let image = try compile(source, "sm_\(capability)", compiler)
        if let folder, let file {
            try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try? Data(image).write(to: file, options: .atomic)
        }
        return image
    }
}

/// Where machine code is kept: `recblr/kernels` in `XDG_CACHE_HOME`, else in `~/.cache`.
public func standardKernelFolder() -> URL {
    let base =
        ProcessInfo.processInfo.environment["XDG_CACHE_HOME"].flatMap {
            $0.hasPrefix("/") ? URL(fileURLWithPath: $0) : nil
        }
        ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache")
    return base.appendingPathComponent("recblr/kernels")
}

/// Approximate divisions and the like are what the kernels' error bounds reckon with (`_common.cu`).
private let compilerOptions = ["--std=c++17", "--ftz=true", "--prec-div=false", "--prec-sqrt=false"]

/// Compiles CUDA C++ to machine code for an architecture, "sm_90".
func compile(_ source: String, _ architecture: String, _ compiler: cu_compiler) throws(CUDAError) -> [UInt8] {
    var program: UnsafeMutableRawPointer?
    guard compiler.nvrtcCreateProgram(&program, source, "recblr.cu", 0, nil, nil) == 0 else {
        throw .compilation("the compiler does not take the source")
    }
    defer { _ = compiler.nvrtcDestroyProgram(&program) }
    let options = ["--gpu-architecture=\(architecture)"] + compilerOptions
    let texts = options.map { UnsafePointer(strdup($0)) }
    defer { for text in texts { free(UnsafeMutablePointer(mutating: text)) } }
    let result = compiler.nvrtcCompileProgram(program, Int32(texts.count), texts)
    var size = 0
    guard result == 0 else {
        _ = compiler.nvrtcGetProgramLogSize(program, &size)
        var log = [CChar](repeating: 0, count: size + 1)
        _ = compiler.nvrtcGetProgramLog(program, &log)
        throw .compilation(String(decoding: log.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }
    _ = compiler.nvrtcGetCUBINSize(program, &size)
    var image = [UInt8](repeating: 0, count: size)
    image.withUnsafeMutableBytes { _ = compiler.nvrtcGetCUBIN(program, $0.baseAddress) }
    return image
}

/// Fowler, Noll & Vo's hash.
func fnv1a(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}
