import Tensors

/// Where each weight lies in one flat block: the same for weights, gradients and the optimiser's moments.
///
/// Linear weights are [out, in]. Each tensor starts on a 64-byte boundary; the gaps stay zero. Matrices come first, so that
/// weight decay, which is for them alone, has one range.
package struct WeightLayout: Sendable, Equatable {
    /// One named weight.
    package struct Entry: Sendable, Equatable {
        /// Name in model files, e.g. `layers.0.gates.weight`.
        package let name: String
        /// 1 for vectors.
        package let rows: Int
        /// Length of a row.
        package let columns: Int
        /// First element in the block.
        package fileprivate(set) var offset = 0
        /// Whether it is a vector [columns] rather than a matrix [rows, columns].
        package let isVector: Bool
        /// Whether weight decay applies: to matrices that multiply, not to vectors (Λ, biases, norms) and not to the
        /// repeat-aware head's numbers, for which zero is no better than any other value.
        package let decays: Bool

        /// Shape as written in model files.
        package var shape: [Int] { isVector ? [columns] : [rows, columns] }
    }

    /// All weights in the order of the block.
    package private(set) var entries: [Entry] = []
    /// Floats in the block.
    package private(set) var count = 0
    /// How many of them, from the first, are subject to weight decay.
    package private(set) var decayedCount = 0
    let embedding: Int
    let embeddingNorm: Norm
    let layers: [Layer]
    let repeatBias: Int?

    struct Norm: Sendable, Equatable { let scale, shift: Int }
    struct Linear: Sendable, Equatable { let weight, bias: Int }
    /// Positions in `entries`.
    struct Layer: Sendable, Equatable {
        var inputProjection: Int?
        var convolution: Linear?
        var gates: Linear
        var decay: Int
        var outputProjection: Int?
        var recurrentNorm: Norm
        var feedForward: FeedForward?
    }
    struct FeedForward: Sendable, Equatable { let inner, outer: Linear, norm: Norm }

    /// The layout of a model of this shape. The configuration must be valid.
    package init(_ configuration: ModelConfiguration) {
        var builder = Builder()
        let (d, h) = (configuration.hiddenSize, configuration.recurrenceSize)
        embedding = builder.matrix("item_embedding", configuration.itemCount + 1, d)
        embeddingNorm = builder.norm("embedding_norm", d)
        layers = (0..<configuration.layerCount).map { index in
            let prefix = "layers.\(index)."
            let full = configuration.block == .full
            return Layer(
                inputProjection: full ? builder.matrix(prefix + "input_projection", 2 * h, d) : nil,
                convolution: configuration.hasConvolution
                    ? builder.linear(prefix + "convolution", configuration.convolutionWidth, h, bias: h) : nil,
                gates: builder.linear(prefix + "gates", 2 * h, h, bias: 2 * h),
                decay: builder.vector(prefix + "decay", h),
                outputProjection: full ? builder.matrix(prefix + "output_projection", d, h) : nil,
                recurrentNorm: builder.norm(prefix + "recurrent_norm", d),
                feedForward: configuration.feedForward
                    ? FeedForward(
                        inner: builder.linear(
                            prefix + "feed_forward.inner", configuration.innerSize, d, bias: configuration.innerSize),
                        outer: builder.linear(prefix + "feed_forward.outer", d, configuration.innerSize, bias: d),
                        norm: builder.norm(prefix + "feed_forward_norm", d)) : nil)
        }
        repeatBias =
            configuration.repeatAware
            ? builder.add("repeat_bias", RepeatHead.recencies, RepeatHead.counts, decays: false) : nil
        entries = builder.entries
        place { $0.decays }
        decayedCount = count
        place { !$0.decays }
    }

    /// Gives the entries of a kind their places behind those that have one.
    private mutating func place(_ isMeant: (Entry) -> Bool) {
        for index in entries.indices where isMeant(entries[index]) {
            entries[index].offset = count
            count += (entries[index].rows * entries[index].columns + 15) / 16 * 16
        }
    }

    private struct Builder {
        var entries: [Entry] = []

        mutating func add(
            _ name: String, _ rows: Int, _ columns: Int, isVector: Bool = false, decays: Bool
        ) -> Int {
            entries.append(Entry(name: name, rows: rows, columns: columns, isVector: isVector, decays: decays))
            return entries.count - 1
        }
        mutating func matrix(_ name: String, _ rows: Int, _ columns: Int) -> Int {
            add(name, rows, columns, decays: true)
        }
        mutating func vector(_ name: String, _ count: Int) -> Int {
            add(name, 1, count, isVector: true, decays: false)
        }
        mutating func norm(_ name: String, _ size: Int) -> Norm {
            Norm(scale: vector(name + ".scale", size), shift: vector(name + ".shift", size))
        }
        mutating func linear(_ name: String, _ rows: Int, _ columns: Int, bias: Int) -> Linear {
            Linear(weight: matrix(name + ".weight", rows, columns), bias: vector(name + ".bias", bias))
        }
    }
}
