import Tensors

/// h_t = decay_t ⊙ h_{t−1} + state_t over rows, from h = 0, in two plain forms that read decay factors and inputs from memory.
/// `state` is overwritten with h. Backwards in time the same runs from the last row to the first.
enum Recurrence {
    /// One step after the other, each over all sequences (rows s · length + t).
    static func serial(decay: Tensor, state: Tensor, length: Int, backwards: Bool) {
        let sequences = state.rows / length
        for step in 1..<max(1, length) {
            let t = backwards ? length - 1 - step : step
            let before = backwards ? t + 1 : t - 1
            for s in 0..<sequences {
                add(state, to: s * length + t, from: s * length + before, times: decay)
            }
        }
    }

    /// The work-efficient parallel prefix (Blelloch 1990; inclusive, after Brent & Kung 1982) over `length` rows, a power of
    /// two: 2 · log₂(length) passes in which every row could go at once, 2 · length combinations of
    /// (a₁, b₁), (a₂, b₂) ↦ (a₁ ⊙ a₂, a₂ ⊙ b₁ + b₂). `decay` is overwritten with products.
    static func parallel(decay: Tensor, state: Tensor, length: Int, backwards: Bool) {
        precondition(length.nonzeroBitCount == 1, "the parallel scan wants a power of two")
        for s in 0..<state.rows / length {
            func combine(_ later: Int, _ earlier: Int) {
                let (i, j) = backwards ? (length - 1 - later, length - 1 - earlier) : (later, earlier)
                add(state, to: s * length + i, from: s * length + j, times: decay)
                multiply(decay, s * length + i, by: s * length + j)
            }
            var distance = 1
            while distance < length {  // up: row 2^k · m − 1 gets the last 2^k rows
                for i in stride(from: 2 * distance - 1, to: length, by: 2 * distance) { combine(i, i - distance) }
                distance *= 2
            }
            distance = length / 4
            while distance > 0 {  // down: the rows between
                for i in stride(from: 3 * distance - 1, to: length, by: 2 * distance) { combine(i, i - distance) }
                distance /= 2
            }
        }
    }

    /// state[i] += decay[i] ⊙ state[j].
    private static func add(_ state: Tensor, to i: Int, from j: Int, times decay: Tensor) {
        let (to, from) = (state.base + i * state.stride, state.base + j * state.stride)
        let factor = decay.base + i * decay.stride
        for c in 0..<state.columns { to[c] += factor[c] * from[c] }
    }

    /// decay[i] = decay[i] ⊙ decay[j].
    private static func multiply(_ decay: Tensor, _ i: Int, by j: Int) {
        let (to, from) = (decay.base + i * decay.stride, decay.base + j * decay.stride)
        for c in 0..<decay.columns { to[c] *= from[c] }
    }
}
