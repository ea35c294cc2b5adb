import ArgumentParser
import CPUBackend
import CUDABackend
import Report
import Tensors

struct Devices: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List what can compute here, and why something cannot.",
        discussion: """
            An NVIDIA GPU needs its driver (for CUDA 12 or later) and two libraries, NVRTC and cuBLASLt, which a CUDA toolkit \
            or packages from PyPI bring. They are looked for in the folders of RECBLR_CUDA_PATH (with colons between them), \
            then where the system looks, then in /usr/local/cuda. What is missing stands below the list, and is no error.

            Example:

              recblr devices
              RECBLR_CUDA_PATH=/opt/cuda/lib64 recblr devices --json
            """)

    @OptionGroup var json: JSONFlag

    /// One device of the list.
    struct Entry: Encodable {
        /// The value for --device.
        var device: String
        var name: String
        var memoryBytes: Int?
        var computeCapability: String?
        var precisions: [String]
        /// Why it cannot be used; nil if it can.
        var problem: String?
    }

    func run() throws {
        let processor = "\(CPUBackend.processorName), \(InstructionSet.best.rawValue)"
        let precisions = Precision.allCases.filter(\.isAvailable).map(\.rawValue)
        var entries = [
            Entry(device: "cpu", name: processor, precisions: precisions)
        ]
        var absence: String?
        do {
            entries += try CUDADevice.all().map { gpu in
                Entry(
                    device: "cuda:\(gpu.ordinal)", name: gpu.name, memoryBytes: gpu.memoryBytes,
                    computeCapability: gpu.capabilityText, precisions: Precision.allCases.map(\.rawValue),
                    problem: gpu.problem?.description)
            }
        } catch { absence = error.description }
        if json.isOn { return try printJSON(Listing(devices: entries, noGPU: absence)) }
        try printOutput(text(entries))
        for entry in entries {
            if let problem = entry.problem { try printOutput("\n\(entry.device): \(problem)") }
        }
        if let absence { try printOutput("\nNo GPU: \(absence)") }
    }

    private struct Listing: Encodable {
        var devices: [Entry]
        /// Why there is no GPU; nil if there is one.
        var noGPU: String?
    }

    private func text(_ entries: [Entry]) -> String {
        var table = TextTable(["Device", "name", "memory", "capability", "usable"])
        for entry in entries {
            table.add([
                entry.device, entry.name, entry.memoryBytes.map { "\(fixed(Double($0) / 1e9, 1)) GB" } ?? "–",
                entry.computeCapability ?? "–", entry.problem == nil ? "yes" : "no",
            ])
        }
        return table.text
    }
}
