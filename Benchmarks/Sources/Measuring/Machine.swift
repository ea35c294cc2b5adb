import CPUBackend
import Foundation

/// The machine that figures were measured on.
struct Machine: Encodable, Sendable {
    /// Name of the processor.
    let processor: String
    /// Cores that this process may use.
    let cores: Int
    /// Instruction set of the kernels.
    let instructionSet: String
    /// The library that multiplies float32 matrices.
    let productLibrary: String
    /// Sizes of a core's caches in bytes, smallest first; empty where the system does not say.
    let cacheBytes: [Int]

    /// This machine.
    init() {
        processor = CPUBackend.processorName
        cores = ProcessInfo.processInfo.activeProcessorCount
        instructionSet = InstructionSet.best.rawValue
        productLibrary = CPUBackend.productLibrary
        cacheBytes = Self.caches()
    }

    /// The smallest cache that holds `bytes`: "L1", "L2", … or "memory".
    func nearestMemory(holding bytes: Int) -> String {
        guard let level = cacheBytes.firstIndex(where: { bytes <= $0 }) else { return "memory" }
        return "L\(level + 1)"
    }
}

#if canImport(Darwin)
    extension Machine {
        private static func caches() -> [Int] {
            ["hw.l1dcachesize", "hw.l2cachesize", "hw.l3cachesize"].compactMap { name in
                var (value, size) = (Int64(0), MemoryLayout<Int64>.size)
                return sysctlbyname(name, &value, &size, nil, 0) == 0 && value > 0 ? Int(value) : nil
            }
        }
    }
#else
    extension Machine {
        private static func caches() -> [Int] {
            (0..<8).compactMap { index in
                func read(_ name: String) -> String? {
                    let path = "/sys/devices/system/cpu/cpu0/cache/index\(index)/\(name)"
                    let text = try? String(contentsOfFile: path, encoding: .utf8)
                    return text?.trimmingCharacters(in: .whitespacesAndNewlines)
                }
                guard read("type") != "Instruction", let size = read("size"), size.hasSuffix("K") else { return nil }
                return Int(size.dropLast()).map { $0 * 1024 }
            }.sorted()
        }
    }
#endif

/// Largest resident size of this process so far, in MB.
func peakMemory() -> Double {
    var usage = rusage()
    #if canImport(Darwin)
        getrusage(RUSAGE_SELF, &usage)
        return Double(usage.ru_maxrss) / 1e6
    #else
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Double(usage.ru_maxrss) / 1e3
    #endif
}
