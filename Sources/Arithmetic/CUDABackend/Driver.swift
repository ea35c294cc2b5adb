import CCUDA
import Tensors

extension cu_driver {
    func expect(_ result: Int32, _ call: String) throws(CUDAError) {
        if result != CU_OK { throw .call(call, error: text(result)) }
    }

    func memory(_ bytes: Int) throws(CUDAError) -> cu_address {
        var address: cu_address = 0
        let result = cuMemAlloc_v2(&address, bytes)
        if result == CU_OUT_OF_MEMORY { throw outOfMemory(bytes) }
        try expect(result, "cuMemAlloc")
        return address
    }

    /// The error that `bytes` cannot be allocated, with the bytes that are free.
    func outOfMemory(_ bytes: Int) -> CUDAError {
        var (free, total) = (0, 0)
        _ = cuMemGetInfo_v2(&free, &total)
        return .outOfMemory(bytes: bytes, free: free)
    }

    func hostMemory(_ bytes: Int) throws(CUDAError) -> UnsafeMutableRawPointer {
        var host: UnsafeMutableRawPointer?
        try expect(cuMemHostAlloc(&host, bytes, 0), "cuMemHostAlloc")
        return host!
    }

    func staging(_ bytes: Int) throws(CUDAError) -> Staging {
        Staging(host: try hostMemory(bytes), device: try memory(bytes), capacity: bytes)
    }

    func free(_ staging: Staging) {
        _ = cuMemFree_v2(staging.device)
        _ = cuMemFreeHost(staging.host)
    }
}

/// The kernels on one device.
struct Kernels {
    let module: UnsafeMutableRawPointer?
    private(set) var functions: [Kernel: UnsafeMutableRawPointer] = [:]

    /// Loads the kernels from the cache; an image that does not load (for example machine code for another device) is compiled
    /// again.
    init(_ device: CUDADevice, _ libraries: Libraries, _ cache: KernelCache) throws(CUDAError) {
        let driver = libraries.driver
        let (compiler, version) = try libraries.compiler()
        var module: UnsafeMutableRawPointer?
        var image = try cache.image(device.capability, compiler, version: version)
        if driver.cuModuleLoadData(&module, image) != CU_OK {
            image = try cache.image(device.capability, compiler, version: version, refresh: true)
            try driver.expect(driver.cuModuleLoadData(&module, image), "cuModuleLoadData")
        }
        self.module = module
        for kernel in Kernel.allCases {
            try driver.expect(
                driver.cuModuleGetFunction(&functions[kernel], module, kernel.rawValue),
                "cuModuleGetFunction(\(kernel.rawValue))")
        }
    }
}

extension Tensor {
    /// Address of element (0, 0) in the device's memory.
    var address: cu_address { cu_address(UInt(bitPattern: pointer)) }
}
