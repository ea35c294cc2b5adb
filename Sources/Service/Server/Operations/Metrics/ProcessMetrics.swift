public import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the process uses: memory, files, processor time. Read when somebody asks.
public struct ProcessMetrics: Sendable {
    private let residentMemory, cpuSeconds, openFiles, maximumOpenFiles: Level

    /// Metrics of this process, which runs this version since `start`.
    public init(version: String, start: Date, in metrics: PrometheusMetrics) {
        residentMemory = metrics.level("process_resident_memory_bytes")
        cpuSeconds = metrics.level("process_cpu_seconds", .counter)
        openFiles = metrics.level("process_open_fds")
        maximumOpenFiles = metrics.level("process_max_fds")
        metrics.level("process_start_time_seconds").set(start.timeIntervalSince1970)
        metrics.level("build_info", .gauge, [("version", version)]).set(Int64(1))
    }

    /// Sets them to what is the case now. What the system does not tell stays as it is.
    public func update() {
        if let bytes = Self.residentBytes { residentMemory.set(Int64(bytes)) }
        if let seconds = Self.processorSeconds { cpuSeconds.set(seconds) }
        if let count = Self.openFileCount { openFiles.set(Int64(count)) }
        if let limit = openFileLimit() { maximumOpenFiles.set(Int64(limit)) }
    }

    /// The second number of `/proc/self/statm`, in pages.
    private static var residentBytes: Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? Int(fields[1]).map { $0 * Int(getpagesize()) } : nil
    }

    private static var processorSeconds: Double? {
        var usage = rusage()
        #if canImport(Darwin)
            guard getrusage(RUSAGE_SELF, &usage) == 0 else { return nil }
        #else
            guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return nil }
        #endif
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    private static var openFileCount: Int? {
        // One of them is the folder that is being read.
        (try? FileManager.default.contentsOfDirectory(atPath: "/dev/fd"))?.count
    }
}
