import CCUDA

/// Memory through which numbers go to the device: pages of the host's that stay where they are, so that the device fetches
/// them while the program goes on, and as much of the device's.
final class Staging {
    let host: UnsafeMutableRawPointer
    let device: cu_address
    let capacity: Int
    private(set) var used = 0
    /// How far the device has been sent what is here.
    private var sent = 0

    init(host: UnsafeMutableRawPointer, device: cu_address, capacity: Int) {
        (self.host, self.device, self.capacity) = (host, device, capacity)
    }

    func restart() { (used, sent) = (0, 0) }

    /// What was put in since it was last asked.
    func takeUnsent() -> Range<Int> {
        defer { sent = used }
        return sent..<used
    }

    /// Where `bytes` begin after they were put in; nil where there is no room left.
    func put(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let start = (used + 255) / 256 * 256
        guard start + bytes.count <= capacity else { return nil }
        if let base = bytes.baseAddress { (host + start).copyMemory(from: base, byteCount: bytes.count) }
        used = start + bytes.count
        return start
    }
}
