import ArgumentParser
import CPUBackend
import CUDABackend
import ErrorSupport
import Foundation
import Models
import Tensors

/// The device to compute on.
enum DeviceChoice: ExpressibleByArgument, Equatable {
    /// The first usable GPU, otherwise the processor.
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
    static var allValueStrings: [String] { ["auto", "cpu", "cuda", "cuda:N"] }
    static var defaultCompletionKind: CompletionKind { .list(["auto", "cpu", "cuda"]) }

    /// The chosen GPU; nil for the processor. Where the choice was left open and there is a GPU that cannot be used, or not for these
    /// mixers, prints why.
    func gpu(_ precision: Precision, for mixers: [ModelConfiguration.Mixer]) throws -> CUDABackend? {
        switch self {
        case .cpu: return nil
        case .cuda(let number): return try CUDABackend(ordinal: number, precision: precision)
        case .automatic:
            do {
                let devices = try CUDADevice.all()
                let chosen = devices.first { $0.problem == nil } ?? devices[0]  // whose error says what its problem is
                let gpu = try CUDABackend(ordinal: chosen.ordinal, precision: precision)
                if gpu.supportsAttention || !mixers.contains(.attention) { return gpu }
                printError("recblr: the GPU is left alone: attention is for processors")
                return nil
            } catch CUDAError.noDriver, CUDAError.noDevice {
                return nil
            } catch {
                printError("recblr: the GPU is left alone: \(error)")
                return nil
            }
        }
    }
}

/// The device for inference, which is always in float32.
struct DeviceOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where to compute: auto is the first GPU that can be used, else the processor; cuda is GPU 0, cuda:1 the next.",
            valueName: "device"))
    var device = DeviceChoice.automatic

    /// Throws where there is no such device.
    func backend(for mixers: [ModelConfiguration.Mixer]) throws -> any Backend {
        try device.gpu(.float32, for: mixers) ?? CPUBackend()
    }
}

/// The device and the precision of training.
struct ComputeOptions: ParsableArguments {
    @OptionGroup var place: DeviceOption
    @Option(
        help: """
            What matrix products round their operands to while training; tf32 is for GPUs, bfloat16 for processors \
            with AVX512-BF16 and for GPUs, where it may be computed as tf32 and is hardly faster. (default: tf32 on a GPU, else bfloat16 where the processor has it)
            """)
    var precision: Precision?

    /// Throws where there is no such device, or it does not have the precision.
    func backend(for mixers: [ModelConfiguration.Mixer]) throws -> any Backend {
        if let gpu = try place.device.gpu(precision ?? .tf32, for: mixers) { return gpu }
        if let precision { return CPUBackend(precision: try precision.onThisProcessor()) }
        return CPUBackend(precision: Precision.bfloat16.isAvailable ? .bfloat16 : .float32)
    }
}

extension Precision {
    /// This precision; throws where the processor does not have it.
    func onThisProcessor() throws -> Precision {
        if isAvailable { return self }
        let needs = self == .tf32 ? "only GPUs have them" : "AVX512-BF16 is what it takes"
        throw fail(.usage, "this processor has no \(rawValue) products (\(needs)): leave --precision out")
    }
}

extension Backend {
    /// The same device in float32: a model is tested with the precision of inference.
    var exact: any Backend {
        if let gpu = self as? CUDABackend { return gpu.with(.float32) }
        return CPUBackend()
    }
}

extension ThreadsOption {
    /// Number of replicas on a backend, 1 on a GPU. Throws where so many threads cannot run.
    func count(on backend: any Backend) throws -> Int {
        let count = backend.isQueued ? 1 : count
        try requireThreads(count, on: backend)
        return count
    }
}
