/// Which elements of one tensor are dropped: a rate and the address of a stream of counter-based random numbers.
///
/// Element (row, column) is dropped when its 32-bit random word is below `threshold`; the others are multiplied by
/// `keepScale`. The word depends on nothing but the fields here, the row's global number and the column, so the mask
/// is the same on every backend and for every number of replicas.
///
/// Words come from Philox4x32-7 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) with
/// key = (seed low, seed high) and counter = (16 · (column / 64) + column % 16, row, place, step);
/// the element takes word (column % 64) / 16 of the four.
package struct Dropout: Sendable {
    /// Probability that an element is dropped, in [0, 1).
    package var rate: Float
    /// The run's seed.
    package var seed: UInt64
    /// The optimiser step.
    package var step: UInt32
    /// Number of this dropout within the model; each has its own.
    package var place: UInt32
    /// Number of each row's token within the whole batch (modulo 2³²), which does not depend on the replica that computes it;
    /// at least as many as the tensor has rows.
    package var rowNumbers: Indices

    /// The dropout at one place of the model in one step.
    package init(rate: Float, seed: UInt64, step: UInt32, place: UInt32, rowNumbers: Indices) {
        precondition(rate >= 0 && rate < 1, "a dropout rate lies in [0, 1)")
        self.rate = rate
        self.seed = seed
        self.step = step
        self.place = place
        self.rowNumbers = rowNumbers
    }

    /// Words below this drop their element: rate · 2³².
    package var threshold: UInt32 { UInt32(Double(rate) * 4_294_967_296) }
    /// 1 / (1 − rate): multiplies the elements that are not dropped.
    package var keepScale: Float { 1 / (1 - rate) }
}
