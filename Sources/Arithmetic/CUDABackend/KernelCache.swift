import CCUDA
package import Foundation

/// What kernels are compiled for; 90 for compute capability 9.0.
enum Architecture: Equatable, CustomStringConvertible {
    /// Machine code, for GPUs of this capability and later ones of the same major version.
    case machineCode(Int)
    /// PTX, from which the driver makes machine code for any later GPU.
    case ptx(Int)

    /// The best for a GPU that a compiler which knows these capabilities can make. Where it knows none that would do, the GPU's own: it
    /// says what is wrong.
    init(_ capability: Int, known: [Int]) {
        let earlier = known.filter { $0 <= capability }
        if let best = earlier.filter({ $0 / 10 == capability / 10 }).max() {
            self = .machineCode(best)
        } else {
            self = earlier.max().map { .ptx($0) } ?? .machineCode(capability)
        }
    }

    /// NVIDIA's name.
    var description: String {
        switch self {
        case .machineCode(let capability): "sm_\(capability)"
        case .ptx(let capability): "compute_\(capability)"
        }
    }

    var fileExtension: String {
        switch self {
        case .machineCode: "cubin"
        case .ptx: "ptx"
        }
    }
}

/// The kernels as the driver loads them on one device, compiled at first use and cached on disk.
struct KernelCache {
    /// The folder of the cache; nil caches nothing.
    let folder: URL?

    /// Machine code, or PTX, for a compute capability (90 for 9.0). A file's name has a hash of source and options and the
    /// version of the compiler; where the file cannot be written, the next process compiles again.
    func image(
        _ capability: Int, _ compiler: cu_compiler, version: (Int, Int), refresh: Bool = false
    ) throws(CUDAError) -> [UInt8] {
        let source = String(cString: cu_source_text())
        let architecture = Architecture(capability, known: compiler.capabilities)
        let options = compilerOptions(architecture)
        let key = String(fnv1a((source + options.joined()).utf8), radix: 16)
        let file = folder?.appendingPathComponent(
            "\(key)-\(architecture)-nvrtc\(version.0).\(version.1).\(architecture.fileExtension)")
        if !refresh, let file, let known = Self.read(file) { return known }
        let image = try compile(source, options, compiler).image
        if let folder, let file {
            try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try? Data(image + Self.checksum(image)).write(to: file, options: .atomic)
        }
        return image
    }

    /// The driver reads as many bytes as the machine code claims to have, so a truncated file must be refused here.
    private static func read(_ file: URL) -> [UInt8]? {
        guard let bytes = try? Data(contentsOf: file), bytes.count > 8 else { return nil }
        let image = Array(bytes.dropLast(8))
        return bytes.suffix(8).elementsEqual(checksum(image)) ? image : nil
    }

    /// The last 8 bytes of a file: a hash of its machine code.
    private static func checksum(_ image: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: fnv1a(image).littleEndian) { Array($0) }
    }
}

/// The folder of cached machine code: `recblr/kernels` in `XDG_CACHE_HOME`, else in `~/.cache`.
package func standardKernelFolder() -> URL {
    let base =
        ProcessInfo.processInfo.environment["XDG_CACHE_HOME"].flatMap {
            $0.hasPrefix("/") ? URL(fileURLWithPath: $0) : nil
        }
        ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache")
    return base.appendingPathComponent("recblr/kernels")
}

/// The compiler's options. The error bounds in `_common.cu` allow for approximate divisions and roots.
func compilerOptions(_ architecture: Architecture) -> [String] {
    ["--gpu-architecture=\(architecture)", "--std=c++17", "--ftz=true", "--prec-div=false", "--prec-sqrt=false"]
}

extension cu_compiler {
    /// The compute capabilities that it makes machine code for.
    var capabilities: [Int] {
        var count: Int32 = 0
        guard nvrtcGetNumSupportedArchs(&count) == 0 else { return [] }
        var all = [Int32](repeating: 0, count: Int(count))
        return nvrtcGetSupportedArchs(&all) == 0 ? all.map { Int($0) } : []
    }
}

/// Compiles CUDA C++ to machine code, or to PTX with a zero at its end; returns it with the compiler's log.
func compile(
    _ source: String, _ options: [String], _ compiler: cu_compiler
) throws(CUDAError) -> (image: [UInt8], log: String) {
    var program: UnsafeMutableRawPointer?
    guard compiler.nvrtcCreateProgram(&program, source, "recblr.cu", 0, nil, nil) == 0 else {
        throw .compilation("the compiler does not take the source")
    }
    defer { _ = compiler.nvrtcDestroyProgram(&program) }
    let texts = options.map { UnsafePointer(strdup($0)) }
    defer { for text in texts { free(UnsafeMutablePointer(mutating: text)) } }
    let result = compiler.nvrtcCompileProgram(program, Int32(texts.count), texts)
    var size = 0
    _ = compiler.nvrtcGetProgramLogSize(program, &size)
    var text = [CChar](repeating: 0, count: size + 1)
    _ = compiler.nvrtcGetProgramLog(program, &text)
    let log = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    guard result == 0 else { throw .compilation(log) }
    _ = compiler.nvrtcGetCUBINSize(program, &size)
    let isPTX = size == 0
    if isPTX { _ = compiler.nvrtcGetPTXSize(program, &size) }
    var image = [UInt8](repeating: 0, count: size)
    image.withUnsafeMutableBytes { bytes in
        _ =
            isPTX
            ? compiler.nvrtcGetPTX(program, bytes.baseAddress) : compiler.nvrtcGetCUBIN(program, bytes.baseAddress)
    }
    return (image, log)
}

/// The FNV-1a hash (Fowler, Noll & Vo).
func fnv1a(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}
