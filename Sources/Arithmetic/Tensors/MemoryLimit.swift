import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A limit of the memory that this process may still allocate.
public struct MemoryLimit: Sendable, Equatable, CustomStringConvertible {
    /// What sets a limit.
    public enum Source: Sendable {
        /// The physical memory of the machine.
        case machine
        /// A control group: a container or a batch job.
        case controlGroup
        /// `ulimit -v`: address space, used or not.
        case addresses
        /// `ulimit -d`: address space without mapped files and stacks.
        case data
    }

    /// What sets the limit.
    public let source: Source
    /// How many bytes may still be allocated; for the machine, how many there are.
    public let bytes: Int

    /// A limit of `bytes` set by `source`.
    public init(source: Source, bytes: Int) {
        self.source = source
        self.bytes = bytes
    }

    /// All limits that are set, the machine's first.
    public static var all: [MemoryLimit] {
        var limits = [MemoryLimit(source: .machine, bytes: Int(clamping: ProcessInfo.processInfo.physicalMemory))]
        #if os(Linux)
            if let bytes = controlGroupBytes { limits.append(MemoryLimit(source: .controlGroup, bytes: bytes)) }
            // Pages of addresses and of data: the first and the sixth number of statm.
            let pages = numbers(of: "/proc/self/statm")
            for (source, resource, column) in [(Source.addresses, RLIMIT_AS, 0), (.data, RLIMIT_DATA, 5)] {
                var limit = rlimit()
                guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0, limit.rlim_cur != UInt.max
                else { continue }
                let used = pages.count > column ? pages[column] * Int(getpagesize()) : 0
                limits.append(MemoryLimit(source: source, bytes: max(0, Int(clamping: limit.rlim_cur) - used)))
            }
        #endif
        return limits
    }

    /// The first limit that is exceeded by `bytes`, to which `addresses` are added for limits of address space; nil if none is.
    public static func exceeded(by bytes: Int, addresses: Int) -> (neededBytes: Int, limit: MemoryLimit)? {
        for limit in all {
            let needed = limit.countsAddresses ? bytes + addresses : bytes
            if needed >= limit.bytes { return (needed, limit) }
        }
        return nil
    }

    private var countsAddresses: Bool { source == .addresses || source == .data }

    #if os(Linux)
        /// The smallest limit of the control groups of this process and their ancestors.
        private static var controlGroupBytes: Int? {
            let lines =
                (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8))?.split(separator: "\n") ?? []
            let limits = lines.flatMap { line -> [Int] in
                // "4:memory:/path" in version 1, "0::/path" in version 2.
                let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
                guard parts.count == 3 else { return [] }
                if parts[0] == "0", parts[1].isEmpty { return groupLimits("/sys/fs/cgroup", parts[2], "memory.max") }
                guard parts[1].split(separator: ",").contains("memory") else { return [] }
                return groupLimits("/sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes")
            }
            return limits.min()
        }

        /// The limits of a group and its ancestors. In a container the group's own path may be missing; the root is there.
        private static func groupLimits(_ root: String, _ group: Substring, _ file: String) -> [Int] {
            var path = String(group)
            var limits: [Int] = []
            while true {
                if let limit = numbers(of: root + path + "/" + file).first, limit < 1 << 60 { limits.append(limit) }
                if path.isEmpty || path == "/" { return limits }
                path = (path as NSString).deletingLastPathComponent
            }
        }

        private static func numbers(of file: String) -> [Int] {
            (try? String(contentsOfFile: file, encoding: .utf8))?.split(whereSeparator: \.isWhitespace).compactMap {
                Int($0)
            }
                ?? []
        }
    #endif

    /// For messages: "the machine has 16 GB", "the process may take 250 MB more (ulimit -v)" …
    public var description: String {
        let amount = readableBytes(bytes)
        return switch source {
        case .machine: "the machine has \(amount)"
        case .controlGroup: "its control group may have \(amount)"
        case .addresses: "the process may take \(amount) more (ulimit -v)"
        case .data: "the process may take \(amount) more (ulimit -d)"
        }
    }
}

/// "250 MB", "12 GB".
package func readableBytes(_ bytes: Int) -> String {
    bytes < 10_000_000_000 ? "\(bytes / 1_000_000) MB" : "\(bytes / 1_000_000_000) GB"
}
