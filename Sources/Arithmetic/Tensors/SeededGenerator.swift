#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// SplitMix64 (Steele et al., OOPSLA 2014): small, seedable, the same everywhere.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// The generator for `seed`. Seeds that differ by a small multiple of the increment give the same stream, shifted; use
    /// ``init(seed:stream:)`` for computed seeds.
    package init(seed: UInt64) { state = seed }

    /// One of the streams of a run. `stream` identifies it: a purpose, an epoch, a step, … The numbers are hashed, so that
    /// similar ones give independent streams.
    package init(seed: UInt64, stream: UInt64...) {
        state = stream.reduce(Self.mix(seed &+ Self.increment)) { Self.mix(($0 ^ $1) &+ Self.increment) }
    }

    /// The next 64 random bits.
    package mutating func next() -> UInt64 {
        state &+= Self.increment
        return Self.mix(state)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in [0, 1), 53 bits.
    package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Standard normal (Box & Muller 1958).
    package mutating func normal() -> Double {
        (-2 * log(1 - uniform())).squareRoot() * cos(2 * .pi * uniform())
    }
}
