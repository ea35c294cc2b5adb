/// One parameter of a model, a matrix or a vector: a key for its elements in ``Parameters``.
package struct Parameter: Sendable, Equatable {
    /// Index of its entry in the layout.
    package let index: Int
    /// 1 for vectors.
    package let rows: Int
    /// Length of a row.
    package let columns: Int
}

/// The offset of each parameter in one flat block; the same for weights, gradients and the optimiser's moments.
///
/// Linear weights are [out, in]. Each parameter starts on a 64-byte boundary; the gaps stay zero. Parameters that are subject to weight
/// decay come first, so that it has one range.
package struct ParameterLayout: Sendable, Equatable {
    /// One named parameter.
    package struct Entry: Sendable, Equatable {
        /// Name in model files, e.g. `layers.0.gates.weight`.
        package let name: String
        /// 1 for vectors.
        package let rows: Int
        /// Length of a row.
        package let columns: Int
        /// Whether it is a vector [columns] rather than a matrix [rows, columns].
        package let isVector: Bool
        /// Whether weight decay applies.
        package let decays: Bool
        /// Whether its elements are set to 0 where a step of the optimiser has made them negative.
        package let isNonnegative: Bool
        /// The initial values.
        package let initialization: Initialization
        /// First element in the block.
        package fileprivate(set) var offset = 0

        /// Number of elements.
        package var count: Int { rows * columns }
        /// Shape as written in model files.
        package var shape: [Int] { isVector ? [columns] : [rows, columns] }
    }

    /// All parameters, in the order in which they were added.
    package private(set) var entries: [Entry] = []
    /// Floats in the block.
    package private(set) var count = 0
    /// Weight decay applies to the first `decayedCount` floats.
    package private(set) var decayedCount = 0

    package init() {}

    /// Adds a parameter [rows, columns]. Weight decay applies to it where `decays`: to weights of products, not to biases.
    package mutating func matrix(
        _ name: String, _ rows: Int, _ columns: Int, _ initialization: Initialization, decays: Bool = true
    ) -> Parameter {
        add(name, rows, columns, isVector: false, decays, isNonnegative: false, initialization)
    }

    /// Adds a parameter [count], without weight decay.
    package mutating func vector(
        _ name: String, _ count: Int, _ initialization: Initialization, isNonnegative: Bool = false
    ) -> Parameter {
        add(name, 1, count, isVector: true, false, isNonnegative: isNonnegative, initialization)
    }

    private mutating func add(
        _ name: String, _ rows: Int, _ columns: Int, isVector: Bool, _ decays: Bool, isNonnegative: Bool,
        _ initialization: Initialization
    ) -> Parameter {
        entries.append(
            Entry(
                name: name, rows: rows, columns: columns, isVector: isVector, decays: decays,
                isNonnegative: isNonnegative, initialization: initialization))
        return Parameter(index: entries.count - 1, rows: rows, columns: columns)
    }

    /// Assigns offsets. To be called once, after all parameters are added.
    package mutating func place() {
        count = 0
        for decays in [true, false] {
            for index in entries.indices where entries[index].decays == decays {
                entries[index].offset = count
                count += (entries[index].count + 15) / 16 * 16
            }
            if decays { decayedCount = count }
        }
    }

    /// Positions in the block of a parameter's elements.
    package func range(of parameter: Parameter) -> Range<Int> {
        let start = entries[parameter.index].offset
        return start..<start + parameter.rows * parameter.columns
    }
}
