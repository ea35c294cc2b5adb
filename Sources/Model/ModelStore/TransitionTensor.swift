import Models

/// The counts of a transition head as tensors of a model's file.
enum TransitionTensor {
    /// The names of the tensors: V + 1 positions, and for each successor its row and its count.
    static let names = ["transitions.starts", "transitions.successors", "transitions.counts"]

    static func named(_ counts: TransitionCounts) -> [SafeTensors.Named] {
        let values: [SafeTensors.Named.Values] = [
            .integers(counts.starts), .shortIntegers(counts.successors), .shortIntegers(counts.counts),
        ]
        let lengths = [counts.starts.count, counts.successors.count, counts.counts.count]
        return zip(names, zip(lengths, values)).map { SafeTensors.Named(name: $0, shape: [$1.0], values: $1.1) }
    }

    /// Throws unless they are counts that training could have made.
    static func read(_ file: SafeTensors, path: String, _ itemCount: Int) throws(ModelFileError) -> TransitionCounts {
        let counts = TransitionCounts(
            itemCount: itemCount, starts: try file.integers(names[0]), successors: try file.integers(names[1]),
            counts: try file.integers(names[2]))
        guard let counts else {
            throw .malformed(path: path, reason: "its counts of transitions are not as training makes them")
        }
        return counts
    }
}
