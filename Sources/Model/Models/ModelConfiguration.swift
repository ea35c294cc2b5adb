public import ErrorSupport

/// The hyperparameters of a model: everything that determines its parameters and what they mean, and nothing else.
///
/// Letters follow the paper: V items, D hidden size, E expansion, H = E·D, K convolution width, L layers.
public struct ModelConfiguration: Sendable, Equatable, Codable {
    /// V: items are numbered 1 ... V; row 0 of the embedding is padding.
    public var itemCount: Int
    /// D: width of the residual stream and of the item embedding.
    public var hiddenSize: Int = 64
    /// L: number of recurrent layers.
    public var layerCount: Int = 2
    /// The mixer: how an event depends on earlier ones.
    public var mixer: Mixer = .bdlru
    /// What surrounds the recurrence of a BD-LRU.
    public var block: Block = .full
    /// E: a recurrence is E times wider than the residual stream. 1 where `block` is `recurrenceOnly`.
    public var expansion: Int = 2
    /// W: how many events an event attends to, itself included, where the mixer is attention.
    public var attentionWindow: Int = 64
    /// K: taps of a BD-LRU's causal convolution; 0 leaves the convolution out (SiLU stays).
    public var convolutionWidth: Int = 4
    /// Whether a layer ends with the position-wise feed-forward network (inner size 4D).
    public var feedForward: Bool = true
    /// The initial values of Λ.
    public var decayInitialization: DecayInitialization = .ring
    /// Rows of zeros that run through convolution and recurrence before a user's first event: 0, except for weights
    /// trained by the reference code, which left-pads to a power of two (200 → 56, 50 → 14, 64 → 0; docs/design.md, "Traps").
    public var warmupSteps: Int = 0
    /// Whether a learned number is added to the scores of items in the history, by how long ago and how often they occurred (the
    /// repeat-aware head). Not in the paper.
    public var repeatAware: Bool = false
    /// Whether a learned number is added to the scores of items that followed the last events in training, by how often they did (the
    /// transition head). Not in the paper.
    public var transitions: Bool = false
    /// How many of the last events these heads use; 0 without any.
    public var repeatWindow: Int { repeatAware ? RepeatHead.window : transitions ? TransitionHead.sources : 0 }
    /// Whether the model has a head beside its softmax.
    package var hasHeads: Bool { repeatAware || transitions }
    /// Whether the model knows when events happened and when it is asked (docs/design.md, "Time"). Not in the paper; a BD-LRU's alone, not on GPUs.
    public var usesTime: Bool = false
    /// ε of every LayerNorm.
    public var normEpsilon: Float = 1e-12

    /// How an event depends on earlier ones.
    public enum Mixer: String, Sendable, Codable, CaseIterable {
        /// The behaviour-dependent linear recurrence of RecBLR.
        case bdlru
        /// Self-attention over a sliding window, as in SASRec. Not on GPUs.
        case attention
        /// A linear recurrence whose decay does not depend on the events, as in LRURec.
        case lru
    }

    /// What surrounds the recurrence of a layer.
    public enum Block: String, Sendable, Codable, CaseIterable {
        /// Projections, convolution and output gate, as in the paper.
        case full
        /// The recurrence alone on the residual stream (paper, Table 3).
        case recurrenceOnly
    }

    /// The initial values of Λ.
    public enum DecayInitialization: String, Sendable, Codable, CaseIterable {
        /// Evenly spaced so that the slowest decay per step lies between 0.9 and 0.999 (paper, section 3.2).
        case ring
        /// N(0, 0.02) like every other weight (paper, Table 3).
        case normal
    }

    /// The paper's model over `itemCount` items.
    public init(itemCount: Int) { self.itemCount = itemCount }

    /// H: width of the recurrence.
    public var recurrenceSize: Int { block == .full ? expansion * hiddenSize : hiddenSize }
    /// Inner width of the feed-forward network: 4D.
    public var innerSize: Int { 4 * hiddenSize }
    /// Floats of one user's ``RecurrentState``. A layer of a BD-LRU has the last K − 1 inputs of its convolution and the
    /// state of the recurrence, K · H; an LRU only the latter, H; attention the last W − 1 keys and values, 2 · (W − 1) · D.
    /// A model with time adds the last layer's last input, D, and the time of the last event, 2.
    public var stateSize: Int {
        layerStateSize * layerCount + (usesTime ? hiddenSize + RecurrentState.timeSize : 0)
    }
    /// Floats of a layer's part of that state.
    package var layerStateSize: Int {
        switch mixer {
        case .bdlru: (windowLength + 1) * recurrenceSize
        case .attention: 2 * (attentionWindow - 1) * hiddenSize
        case .lru: recurrenceSize
        }
    }
    /// K − 1: the inputs in the convolution's state; 0 without a convolution.
    public var windowLength: Int { hasConvolution ? convolutionWidth - 1 : 0 }
    /// Whether layers have a convolution.
    public var hasConvolution: Bool { block == .full && convolutionWidth > 0 }

    /// Throws if a size is out of range or two settings contradict each other.
    public func validate() throws(ConfigurationError) {
        func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(ConfigurationError) {
            guard range.contains(value) else { throw .outOfRange(name: name, value: value, range: range) }
        }
        try check("itemCount", itemCount, 1...100_000_000)
        try check("hiddenSize", hiddenSize, 1...4096)
        try check("layerCount", layerCount, 1...64)
        try check("expansion", expansion, 1...16)
        try check("attentionWindow", attentionWindow, 2...4096)
        try check("convolutionWidth", convolutionWidth, 0...16)
        try check("warmupSteps", warmupSteps, 0...65_536)
        guard normEpsilon >= 0, normEpsilon < 1 else { throw .normEpsilon(normEpsilon) }
        guard mixer == .bdlru || (block == .full && warmupSteps == 0) else { throw .onlyOfBDLRU }
        guard !usesTime || (mixer == .bdlru && block == .full && warmupSteps == 0) else { throw .noTime }
    }
}

extension ModelConfiguration {
    /// What files of earlier programs lack has the value that it had then.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(itemCount: try fields.decode(Int.self, forKey: .itemCount))
        hiddenSize = try fields.decode(Int.self, forKey: .hiddenSize)
        layerCount = try fields.decode(Int.self, forKey: .layerCount)
        mixer = try fields.decodeIfPresent(Mixer.self, forKey: .mixer) ?? mixer
        block = try fields.decode(Block.self, forKey: .block)
        expansion = try fields.decode(Int.self, forKey: .expansion)
        attentionWindow = try fields.decodeIfPresent(Int.self, forKey: .attentionWindow) ?? attentionWindow
        convolutionWidth = try fields.decode(Int.self, forKey: .convolutionWidth)
        feedForward = try fields.decode(Bool.self, forKey: .feedForward)
        decayInitialization = try fields.decode(DecayInitialization.self, forKey: .decayInitialization)
        warmupSteps = try fields.decode(Int.self, forKey: .warmupSteps)
        repeatAware = try fields.decodeIfPresent(Bool.self, forKey: .repeatAware) ?? repeatAware
        transitions = try fields.decodeIfPresent(Bool.self, forKey: .transitions) ?? transitions
        usesTime = try fields.decodeIfPresent(Bool.self, forKey: .usesTime) ?? usesTime
        normEpsilon = try fields.decode(Float.self, forKey: .normEpsilon)
    }
}

/// Why a ``ModelConfiguration`` cannot be used.
public enum ConfigurationError: UserFacingError, Equatable {
    /// A size outside of the supported range.
    case outOfRange(name: String, value: Int, range: ClosedRange<Int>)
    /// ε that is negative, one or more, or not a number.
    case normEpsilon(Float)
    /// A bare recurrence or a warm-up with another mixer.
    case onlyOfBDLRU
    /// Time in a model that is not a whole BD-LRU, or that starts from a warm-up.
    case noTime
    /// Attention on a device that has none.
    case attention(device: String)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .outOfRange(let name, let value, let range):
            "\(name) is \(value); it must lie in \(range.lowerBound) ... \(range.upperBound)"
        case .normEpsilon(let value):
            "normEpsilon is \(value); it must lie in [0, 1)"
        case .onlyOfBDLRU: "a bare recurrence and warm-up steps are for the mixer bdlru alone"
        case .noTime: "time is for the mixer bdlru with its projections, without warm-up steps"
        case .attention(let device): "there is no attention on \(device): this model needs a CPU"
        }
    }

    /// Impossible settings.
    public var exitStatus: ExitStatus { .usage }
}
