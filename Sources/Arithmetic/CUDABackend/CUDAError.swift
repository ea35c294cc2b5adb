public import ErrorSupport

/// Why a GPU cannot be used, or not any longer.
public enum CUDAError: UserFacingError, Equatable {
    /// NVIDIA's driver is not there: what the loader says.
    case noDriver(String)
    /// The driver cannot run programs of CUDA 12; versions as the driver counts them, 12040 for 12.4.
    case driverTooOld(version: Int)
    /// The driver does not start.
    case driverFailed(String)
    /// It starts and finds nothing.
    case noDevice
    /// There are fewer devices.
    case noSuchDevice(Int, count: Int)
    /// A device that the kernels cannot be compiled for.
    case deviceTooOld(name: String, capability: String)
    /// A library that has to be there besides the driver.
    case noLibrary(Library, reason: String)
    /// A library without a function that it should have.
    case missingFunction(String, library: String)
    /// The kernels do not compile: the compiler's words.
    case compilation(String)
    /// The device has no more memory.
    case outOfMemory(bytes: Int, free: Int)
    /// A call failed.
    case call(String, error: String)

    /// What is opened at run time besides the driver.
    public enum Library: String, Sendable, CaseIterable {
        /// The run-time compiler.
        case nvrtc
        /// Matrix products.
        case cublasLt

        /// The wheel that brings it, for a major version of CUDA.
        func package(_ major: Int) -> String {
            let name = self == .nvrtc ? "nvidia-cuda-nvrtc" : "nvidia-cublas"
            return major < 13 ? "\(name)-cu\(major)" : name
        }
    }

    /// One sentence for people.
    public var description: String {
        switch self {
        case .noDriver(let reason): "there is no NVIDIA driver here (\(reason))"
        case .driverTooOld(let version):
            "the NVIDIA driver supports CUDA \(text(version)); 12.0 or later is needed: update the driver"
        case .driverFailed(let reason): "the NVIDIA driver does not start: \(reason)"
        case .noDevice: "the NVIDIA driver finds no GPU"
        case .noSuchDevice(let number, let count): "there is no GPU \(number): the last one is \(count - 1)"
        case .deviceTooOld(let name, let capability):
            "\(name) has compute capability \(capability); 7.0 or later is needed"
        case .noLibrary(let library, let reason): reason + remedy(library)
        case .missingFunction(let name, let library): "\(library) has no function \(name): another version is needed"
        case .compilation(let log): "the kernels do not compile for this GPU: \(log)"
        case .outOfMemory(let bytes, let free):
            "the GPU has no memory for another \((bytes + 999_999) / 1_000_000) MB; \(free / 1_000_000) MB are free"
        case .call(let call, let error): "\(call) failed: \(error)"
        }
    }

    /// A device that cannot be used.
    public var exitStatus: ExitStatus { .unavailable }

    private func remedy(_ library: Library) -> String {
        ": install CUDA 12 or 13, or `pip install \(library.package(12))` (CUDA 13: \(library.package(13))), "
            + "and name the folder of the library in RECBLR_CUDA_PATH"
    }

    private func text(_ version: Int) -> String { "\(version / 1000).\(version % 1000 / 10)" }
}
