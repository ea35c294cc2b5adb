import CPUBackend
import Dispatch
import Foundation
import Operations
import Tensors

/// The rates of products and copies of this machine on one thread, measured on first use. The roofline model of Williams et al.
/// (CACM 2009): no operation is faster than its FLOPs at the one rate or its bytes at the other.
final class Limits {
    private let backend: CPUBackend
    private var copyRates: [Int: Double] = [:]

    /// Limits of products in the backend's precision.
    init(_ backend: CPUBackend) { self.backend = backend }

    /// FLOP/s of a product at the shape of the widest layer, 8,192 × 64 · 64 × 256.
    func layerProductRate() -> Double {
        productRate(8192, 256, 64) { body in medianTime(of: 30) { _ in body() } }
    }

    /// FLOP/s of the best of three products: the layer's, a square one, and one that stays in the second-level cache.
    private(set) lazy var productPeak: Double = [(8192, 256, 64), (1024, 1024, 1024), (512, 256, 128)]
        .map { productRate($0, $1, $2) { body in bestThreadTime(for: 0.05, body) } }.max()!

    private func productRate(_ m: Int, _ n: Int, _ k: Int, time: (() -> Void) -> Double) -> Double {
        let product = Multiply.linear(rows: m, k, n)
        return Double(product.flops) / time(product.prepare(Arguments(measuring: backend)))
    }

    /// Speed-up of independent products on `threads` threads over one thread.
    func productScaling(threads: Int) -> Double {
        let product = Multiply.linear(rows: 512, 128, 256)
        // Each is used by one thread at a time.
        nonisolated(unsafe) let calls = (0..<threads).map { _ in product.prepare(Arguments(measuring: backend)) }
        func time(_ threads: Int) -> Double {
            medianTime(of: 5) { _ in
                DispatchQueue.concurrentPerform(iterations: threads) { thread in
                    for _ in 0..<50 { calls[thread]() }
                }
            }
        }
        return Double(threads) * time(1) / time(threads)
    }

    /// Bytes per second, read and written, of copies between two halves of a working set. Measured at the next
    /// power of two, 64 KB to 256 MB.
    func copyRate(workingSet bytes: Int) -> Double {
        var size = 1 << 16
        while size < bytes, size < 1 << 28 { size *= 2 }
        if let known = copyRates[size] { return known }
        let half = size / 2
        let (a, b) = (allocateHost(half, of: UInt8.self), allocateHost(half, of: UInt8.self))
        let repeats = max(1, (1 << 21) / half)  // enough for the resolution of the clock
        let time = bestThreadTime(for: 0.02) {
            for i in 0..<repeats { memcpy(i % 2 == 0 ? a.base : b.base, i % 2 == 0 ? b.base : a.base, half) }
        }
        withExtendedLifetime((a, b)) {}
        copyRates[size] = Double(repeats * size) / time
        return copyRates[size]!
    }
}
