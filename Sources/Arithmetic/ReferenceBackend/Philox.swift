import Tensors

/// Philox4x32: four random words from a counter of four words and a key of two (Salmon et al., SC 2011).
struct Philox {
    /// Seven where a mask is drawn; the published answers are for ten.
    var rounds = 7

    /// The four words at `counter` under `key`.
    func words(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var x = counter
        var k = key
        for _ in 0..<rounds {
            let first = x[0].multipliedFullWidth(by: 0xD251_1F53)
            let second = x[2].multipliedFullWidth(by: 0xCD9E_8D57)
            x = SIMD4(second.high ^ x[1] ^ k[0], second.low, first.high ^ x[3] ^ k[1], first.low)
            k &+= SIMD2(0x9E37_79B9, 0xBB67_AE85)
        }
        return x
    }
}

extension Dropout {
    /// The 32-bit random word of one element.
    func word(row: Int, column: Int) -> UInt32 {
        let counter = SIMD4(
            UInt32(16 * (column / 64) + column % 16), UInt32(bitPattern: rowNumbers.base[row]), place, step)
        let key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        return Philox().words(counter: counter, key: key)[(column % 64) / 16]
    }

    /// What one element is multiplied by: 0 where it is dropped.
    func factor(row: Int, column: Int) -> Double {
        word(row: row, column: column) < threshold ? 0 : Double(keepScale)
    }
}

/// What one element is multiplied by: 1 where nothing is dropped at all.
func keepFactor(_ dropout: Dropout?, row: Int, column: Int) -> Double {
    dropout?.factor(row: row, column: column) ?? 1
}
