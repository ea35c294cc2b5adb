import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What another process has used so far; zeros where the system has no /proc.
struct ProcessUsage: Sendable {
    /// Memory of the process that is not in files, or in files that are mapped, in bytes.
    let resident: Int
    /// Of all its threads.
    let processorSeconds: Double

    init(of process: Int32) {
        func fields(_ name: String) -> [Substring] {
            let text = (try? String(contentsOfFile: "/proc/\(process)/\(name)", encoding: .utf8)) ?? ""
            // The name of the program, between parentheses, may have spaces.
            return (text.split(separator: ")").last ?? "").split(separator: " ")
        }
        let (pages, times) = (fields("statm"), fields("stat"))
        resident = pages.count > 1 ? (Int(pages[1]) ?? 0) * Int(getpagesize()) : 0
        let ticks = times.count > 12 ? (Double(times[11]) ?? 0) + (Double(times[12]) ?? 0) : 0
        processorSeconds = ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
