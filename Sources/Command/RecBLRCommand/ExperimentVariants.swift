import ArgumentParser
import Models
import Training

/// The paper's experiments, which vary one thing at a time.
enum ExperimentKind: String, ExpressibleByArgument, CaseIterable, Codable {
    /// Table 3: ablations of the model.
    case ablations
    /// Not in the paper: RecBLR beside what SASRec and LRURec have in the place of the BD-LRU, everything else equal.
    case mixers
    /// Figure 5: width of the recurrence.
    case expansion
    /// Figure 6: dropout rate.
    case dropout

    /// The models that are compared.
    var variants: [Variant] {
        switch self {
        case .ablations:
            [
                Variant("Full model", inPaper: .full),
                Variant("BD-LRU only", inPaper: .recurrenceOnly) { model, _ in model.block = .recurrenceOnly },
                Variant("Without convolution", inPaper: .noConvolution) { model, _ in model.convolutionWidth = 0 },
                Variant("Without feed-forward network", inPaper: .noFeedForward) { model, _ in model.feedForward = false
                },
                Variant("Without decay initialisation", inPaper: .noDecayInitialization) { model, _ in
                    model.decayInitialization = .normal
                },
                Variant("Single layer", inPaper: .singleLayer) { model, _ in model.layerCount = 1 },
            ]
        case .mixers:
            [
                Variant("BD-LRU"),
                Variant("LRU") { model, _ in model.mixer = .lru },
                Variant("Attention") { model, _ in model.mixer = .attention },
            ]
        case .expansion:
            (1...4).map { value in Variant("E = \(value)", at: Double(value)) { model, _ in model.expansion = value } }
        case .dropout:
            (0...5).map { tenths in
                let rate = Float(tenths) / 10
                return Variant("Dropout 0.\(tenths)", at: Double(tenths) / 10) { _, options in options.dropout = rate }
            }
        }
    }

    /// Name of the varied hyperparameter; nil where variants differ in other ways.
    var axis: String? {
        switch self {
        case .ablations, .mixers: nil
        case .expansion: "expansion E"
        case .dropout: "dropout"
        }
    }
}

/// One of the models that an experiment compares.
struct Variant {
    var name: String
    /// Value on the experiment's axis, if it has one.
    var value: Double?
    /// The row of the paper's Table 3, if it is one.
    var ablation: PaperResults.Ablation?
    /// Applies the variant to a configuration and options.
    var change: (inout ModelConfiguration, inout TrainingOptions) -> Void

    init(
        _ name: String, at value: Double? = nil, inPaper ablation: PaperResults.Ablation? = nil,
        _ change: @escaping (inout ModelConfiguration, inout TrainingOptions) -> Void = { _, _ in }
    ) {
        (self.name, self.value, self.ablation, self.change) = (name, value, ablation, change)
    }
}
