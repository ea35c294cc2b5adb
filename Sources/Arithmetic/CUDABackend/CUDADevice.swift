import CCUDA

/// A GPU of this machine.
package struct CUDADevice: Sendable, Equatable {
    /// The driver's number of the device, from 0.
    package let ordinal: Int
    /// The device's name, such as "NVIDIA H100 80GB HBM3".
    package let name: String
    /// Bytes of memory.
    package let memoryBytes: Int
    /// Compute capability: 90 for 9.0.
    package let capability: Int
    /// Why it cannot be used; nil if it can.
    package let problem: CUDAError?

    /// "9.0".
    package var capabilityText: String { "\(capability / 10).\(capability % 10)" }

    /// All devices that the driver finds. Throws where there is no usable driver or no device.
    ///
    /// `folders` are searched for libraries first; by default those of the environment's `RECBLR_CUDA_PATH`.
    package static func all(searching folders: [String] = environmentFolders()) throws(CUDAError) -> [CUDADevice] {
        let libraries = try Libraries(searching: folders)
        var count: Int32 = 0
        _ = libraries.driver.cuDeviceGetCount(&count)
        guard count > 0 else { throw .noDevice }
        return (0..<Int(count)).map { CUDADevice($0, libraries) }
    }

    init(_ ordinal: Int, _ libraries: Libraries) {
        let driver = libraries.driver
        var handle: Int32 = 0
        _ = driver.cuDeviceGet(&handle, Int32(ordinal))
        func attribute(_ number: Int) -> Int {
            var value: Int32 = 0
            _ = driver.cuDeviceGetAttribute(&value, Int32(number), handle)
            return Int(value)
        }
        var (name, bytes) = ([CChar](repeating: 0, count: 256), 0)
        _ = driver.cuDeviceGetName(&name, 256, handle)
        _ = driver.cuDeviceTotalMem_v2(&bytes, handle)
        self.ordinal = ordinal
        self.name = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        memoryBytes = bytes
        capability = 10 * attribute(CU_COMPUTE_MAJOR) + attribute(CU_COMPUTE_MINOR)
        problem = Self.problem(self.name, capability, libraries)
    }

    private static func problem(_ name: String, _ capability: Int, _ libraries: Libraries) -> CUDAError? {
        guard capability >= 70 else {
            return .deviceTooOld(name: name, capability: "\(capability / 10).\(capability % 10)")
        }
        do {
            _ = try libraries.compiler()
            _ = try libraries.products()
            return nil
        } catch { return error }
    }
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The folders that the environment's `RECBLR_CUDA_PATH` names, with colons between them.
package func environmentFolders() -> [String] {
    guard let value = getenv("RECBLR_CUDA_PATH") else { return [] }
    return String(cString: value).split(separator: ":").map(String.init)
}
