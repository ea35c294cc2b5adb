public import CCUDA

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// NVIDIA's libraries, opened at run time.
struct Libraries: Sendable {
    let driver: cu_driver
    /// The version of CUDA that the driver supports: 12040 for 12.4.
    let driverVersion: Int
    private let folders: [String]

    /// Opens the driver and initialises it. `folders` are searched before the system's.
    init(searching folders: [String]) throws(CUDAError) {
        self.folders = folders
        let (library, name) = try openFirst(["libcuda.so.1"], folders) { .noDriver($0) }
        var driver = cu_driver()
        if let missing = cu_load_driver(library, &driver) {
            throw .missingFunction(String(cString: missing), library: name)
        }
        self.driver = driver
        let started = driver.cuInit(0)
        if started == CU_NO_DEVICE { throw .noDevice }
        guard started == CU_OK else { throw .driverFailed(driver.text(started)) }
        var version: Int32 = 0
        _ = driver.cuDriverGetVersion(&version)
        driverVersion = Int(version)
        guard version >= 12_000 else { throw .driverTooOld(version: Int(version)) }
    }

    /// Opens the compiler; returns it with its version, 12.9 as (12, 9).
    func compiler() throws(CUDAError) -> (cu_compiler, version: (Int, Int)) {
        let library = try open(.nvrtc)
        var table = cu_compiler()
        if let missing = cu_load_compiler(library.handle, &table) {
            throw .missingFunction(String(cString: missing), library: library.name)
        }
        var (major, minor): (Int32, Int32) = (0, 0)
        _ = table.nvrtcVersion(&major, &minor)
        return (table, (Int(major), Int(minor)))
    }

    /// Opens cuBLASLt.
    func products() throws(CUDAError) -> cu_products {
        let library = try open(.cublasLt)
        var table = cu_products()
        if let missing = cu_load_products(library.handle, &table) {
            throw .missingFunction(String(cString: missing), library: library.name)
        }
        return table
    }

    /// A library of the driver's major version of CUDA, or of an earlier one that it still runs.
    private func open(_ library: CUDAError.Library) throws(CUDAError) -> (handle: UnsafeMutableRawPointer, name: String)
    {
        let majors = stride(from: min(driverVersion / 1000, 13), through: 12, by: -1)
        let names = majors.map { "lib\(library.rawValue).so.\($0)" }
        return try openFirst(names, folders) { .noLibrary(library, reason: $0) }
    }
}

/// Folders of CUDA's installers that the loader may not search.
private let usualFolders = ["/usr/local/cuda/lib64", "/usr/local/cuda/targets/x86_64-linux/lib"]

/// The first of these libraries that can be opened: in `folders`, then where the loader searches, then in the usual folders.
private func openFirst(
    _ names: [String], _ folders: [String], _ failure: (String) -> CUDAError
) throws(CUDAError) -> (handle: UnsafeMutableRawPointer, name: String) {
    var (reason, isBroken) = ("", false)
    for name in names {
        for path in folders.map({ "\($0)/\(name)" }) + [name] + usualFolders.map({ "\($0)/\(name)" }) {
            if let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) { return (handle, path) }
            let message = dlerror().map { String(cString: $0) } ?? ""
            // A file that exists and cannot be opened explains more than a missing one.
            let exists = access(path, F_OK) == 0
            if !isBroken && (exists || path == name) { reason = message }
            isBroken = isBroken || exists
        }
    }
    throw failure(reason)
}

extension cu_driver: @retroactive @unchecked Sendable {}
extension cu_compiler: @retroactive @unchecked Sendable {}
extension cu_products: @retroactive @unchecked Sendable {}

extension cu_driver {
    /// The driver's name for an error, and its explanation.
    func text(_ error: Int32) -> String {
        var (name, explanation): (UnsafePointer<CChar>?, UnsafePointer<CChar>?) = (nil, nil)
        _ = cuGetErrorName(error, &name)
        _ = cuGetErrorString(error, &explanation)
        guard let name, let explanation else { return "error \(error)" }
        return "\(String(cString: name)), \(String(cString: explanation))"
    }
}
