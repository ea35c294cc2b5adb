import ArgumentParser
import CPUBackend
import CUDABackend
import Foundation
import RecBLR
import Tensors

/// What is asked to compute.
enum DeviceChoice: ExpressibleByArgument, Equatable {
    /// The first GPU that can be used, else the processor.
    case automatic
    case cpu
    case cuda(Int)

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        switch (parts[0], parts.count) {
        case ("auto", 1): self = .automatic
        case ("cpu", 1): self = .cpu
        case ("cuda", 1): self = .cuda(0)
        case ("cuda", 2):
            guard let number = Int(parts[1]), (0..<1024).contains(number) else { return nil }
            self = .cuda(number)
        default: return nil
        }
    }

    var defaultValueDescription: String { "auto" }
    static var allValueStrings: [String] { ["auto", "cpu", "cuda", "cuda:1"] }

    /// Number of the GPU that is meant; nil for the processor. Says on standard error why a GPU that is there is not used.
    func ordinal() throws -> Int? {
        switch self {
        case .cpu: return nil
        case .cuda(let number): return number
        case .automatic:
            do {
                let devices = try CUDADevice.all()
                if let usable = devices.first(where: { $0.problem == nil }) { return usable.ordinal }
                throw devices[0].problem!
            } catch CUDAError.noDriver, CUDAError.noDevice {
                return nil
            } catch {
                printError("recblr: the GPU is left alone: \(error)")
                return nil
            }
        }
    }
}

/// Where to compute, for what only reads a model: everything in float32.
struct DeviceOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where to compute: auto (a GPU that can be used, else the processor), cpu, cuda or cuda:1 for the second GPU.",
            valueName: "device"))
    var device = DeviceChoice.automatic

    func backend() throws -> any Backend {
        guard let ordinal = try device.ordinal() else { return CPUBackend() }
        return try CUDABackend(ordinal: ordinal, precision: .float32)
    }
}

/// Where to compute and how finely, for training.
struct ComputeOptions: ParsableArguments {
    @OptionGroup var place: DeviceOption
    @Option(
        help: """
            What matrix products round their operands to while training: float32, tf32 (GPUs) or bfloat16 (GPUs, and \
            processors with AVX512-BF16). (default: tf32 on a GPU, else bfloat16 where the processor has it)
            """)
    var precision: Precision?

    /// Throws where there is no such device, or it cannot do this.
    func backend() throws -> any Backend {
        if let ordinal = try place.device.ordinal() {
            return try CUDABackend(ordinal: ordinal, precision: precision ?? .tf32)
        }
        let precision = precision ?? (Precision.bfloat16.isAvailable ? .bfloat16 : .float32)
        guard precision.isAvailable else {
            let needs = precision == .tf32 ? "a GPU has" : "AVX512-BF16 is"
            let wish =
                "this processor has no \(precision.rawValue) products (\(needs) what it takes); leave --precision out"
            throw fail(.usage, wish)
        }
        return CPUBackend(precision: precision)
    }
}

extension Backend {
    /// The same device without rounding: whatever it was trained with, a model is tested as it will be used.
    var exact: any Backend {
        if let gpu = self as? CUDABackend { return gpu.with(.float32) }
        return CPUBackend()
    }
}

extension ThreadsOption {
    /// Replicas on a backend: a GPU is one.
    func count(on backend: any Backend) -> Int { backend.isQueued ? 1 : count }
}
