import Tensors

/// The forms of a recurrence over a batch of sequences of one length (the columns of the paper's Table 5).
enum ScanForm: String, Sendable, CaseIterable, Encodable {
    /// One step after the other over the whole batch.
    case serial
    /// Parallel scan; every sequence enters the model padded to a power of two.
    case sequencePadding
    /// Parallel scan; padded after the input projection: only convolution, gates and scan process the padding.
    case embeddingPadding
    /// Packed, as in this project's training: sequences end to end, gates, scan and output gate in one pass, no padding.
    case packed

    /// Whether recurrences run as a parallel scan.
    var isParallel: Bool { self == .sequencePadding || self == .embeddingPadding }
}

/// Rows of zeros after each sequence. They cannot change what comes before them: all forms compute the same.
struct RightPadding {
    let sequences, from, to: Int
    var isNone: Bool { from == to }

    /// Copies each sequence's rows to their places between rows of padding, which are not changed.
    func spread(_ rows: Tensor, to padded: Tensor, _ backend: any Backend) {
        if isNone { return }
        for s in 0..<sequences {
            backend.copy(rows.rows(s * from..<(s + 1) * from), to: padded.rows(s * to..<s * to + from))
        }
    }

    /// The inverse.
    func collect(_ padded: Tensor, into rows: Tensor, _ backend: any Backend) {
        if isNone { return }
        for s in 0..<sequences {
            backend.copy(padded.rows(s * to..<s * to + from), to: rows.rows(s * from..<(s + 1) * from))
        }
    }
}
