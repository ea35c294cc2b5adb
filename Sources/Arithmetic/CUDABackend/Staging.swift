import CCUDA

/// Memory for uploads: page-locked host memory, which the device reads while the program continues, and as much of the device's.
final class Staging {
    let host: UnsafeMutableRawPointer
    let device: cu_address
    let capacity: Int
    private(set) var used = 0
    /// How many bytes are uploaded.
    private var sent = 0

    init(host: UnsafeMutableRawPointer, device: cu_address, capacity: Int) {
        (self.host, self.device, self.capacity) = (host, device, capacity)
    }

    func restart() { (used, sent) = (0, 0) }

    /// The range of bytes added since the last call.
    func takeUnsent() -> Range<Int> {
        defer { sent = used }
        return sent..<used
    }

    /// Appends `bytes`; returns their offset, nil where they do not fit.
    func put(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let start = (used + 255) / 256 * 256
        guard start + bytes.count <= capacity else { return nil }
        if let base = bytes.baseAddress { (host + start).copyMemory(from: base, byteCount: bytes.count) }
        used = start + bytes.count
        return start
    }
}
