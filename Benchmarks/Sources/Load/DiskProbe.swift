import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The time of `fsync` itself on the disk of a folder: what a durable commit costs at least.
struct DiskProbe {
    private let path: String
    private var times = Latencies()

    init(in folder: URL) { path = folder.appendingPathComponent("fsync-probe").path }

    /// Appends pages of 4 KB, each followed by `fsync`.
    mutating func measure(_ pages: Int = 250) throws {
        let file = open(path, O_CREAT | O_RDWR | O_TRUNC, 0o600)
        guard file >= 0 else { throw ConnectionError.system(path) }
        defer {
            close(file)
            unlink(path)
        }
        let page = [UInt8](repeating: 0x5a, count: 4096)
        for _ in 0..<pages {
            let start = nanoseconds()
            guard write(file, page, page.count) == page.count, fsync(file) == 0 else {
                throw ConnectionError.system(path)
            }
            times.record(nanoseconds: nanoseconds() - start)
        }
    }

    var summary: Latencies.Summary { times.summary }
}
