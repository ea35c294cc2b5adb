import Models

/// The parts of a state, in their order.
struct StateLayout {
    struct Part: Encodable {
        var name: String
        var rows, width: Int
        var size: Int { rows * width }
    }

    private(set) var parts: [Part] = []
    private let partsOfLayer: Int
    /// The time of the last event, in a model with time.
    let timePart: Int

    init(_ shape: ModelConfiguration) {
        let ofLayer = Self.layer(shape)
        for index in 0..<shape.layerCount {
            parts += ofLayer.map { Part(name: "layers.\(index).\($0.name)", rows: $0.rows, width: $0.width) }
        }
        partsOfLayer = ofLayer.count
        timePart = parts.count
        if shape.usesTime { parts.append(Part(name: "last_time", rows: 1, width: RecurrentState.timeSize)) }
        if shape.hasHeads { parts.append(Part(name: "recent_items", rows: 1, width: shape.repeatWindow)) }
    }

    /// The places of one layer's parts.
    func layerParts(_ index: Int) -> Range<Int> { index * partsOfLayer..<(index + 1) * partsOfLayer }

    private static func layer(_ shape: ModelConfiguration) -> [Part] {
        let recurrence = Part(name: "recurrence", rows: 1, width: shape.recurrenceSize)
        switch shape.mixer {
        case .lru: return [recurrence]
        case .attention:
            return [Part(name: "keys_values", rows: shape.attentionWindow - 1, width: 2 * shape.hiddenSize)]
        case .bdlru where shape.windowLength == 0: return [recurrence]
        case .bdlru:
            return [
                Part(name: "convolution", rows: shape.windowLength, width: shape.recurrenceSize), recurrence,
            ]
        }
    }
}

extension SequenceModel {
    /// The state before any event: that of the layers as the library has it, no time, and no recent items.
    var onnxInitialState: [Float] {
        let shape = configuration
        let layers = initialState().values.prefix(shape.layerStateSize * shape.layerCount)
        return layers + (shape.usesTime ? RecurrentState.numbers(of: nil) : [])
            + [Float](repeating: 0, count: shape.repeatWindow)
    }
}
