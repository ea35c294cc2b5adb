import FileSupport

/// What is known of a dataset before anything is learnt from it.
public struct DatasetShape: Sendable, Equatable {
    /// Number of users, items and events.
    public var users, items, events: Int

    /// A dataset of this many users, items and events.
    public init(users: Int, items: Int, events: Int) {
        (self.users, self.items, self.events) = (users, items, events)
    }

    /// Events a user, on average.
    public var meanLength: Double { Double(events) / Double(max(1, users)) }
}

/// How much time a model is worth.
public enum Preset: String, Sendable, CaseIterable, Codable {
    /// A first look: 8 epochs for a million events, fewer for more, at most twice as many for less.
    case fast
    /// The usual choice: 25 epochs, likewise.
    case balanced
    /// Twice as long: 50 epochs, likewise.
    case best

    /// The settings for a dataset, and why. Chosen by validation metrics on ML-100K and ML-1M (long histories) and Amazon
    /// Beauty (short ones); what is said of middling histories lies between them.
    public func recipe(for shape: DatasetShape) -> Recipe {
        var recipe = Recipe()
        chooseRegularization(&recipe, shape)
        chooseEpochs(&recipe, shape)
        chooseLoss(&recipe, shape)
        return recipe
    }

    /// The fewer events there are of a user, the sooner a model knows them by heart.
    private func chooseRegularization(_ recipe: inout Recipe, _ shape: DatasetShape) {
        let length = shape.meanLength
        let (density, dropout, decay): (String, Float, Float?) =
            if length >= 50 { ("long", self == .fast ? 0.1 : 0.2, nil) } else if length >= 15 {
                ("middling", 0.4, 0.3)
            } else { ("short", 0.5, 1) }
        recipe.options.dropout = dropout
        recipe.options.weightDecay = decay
        let why = "histories are \(density), \(counted(Int(length.rounded()), "event")) on average"
        recipe.reasons[.dropout] = "dropout \(dropout): \(why)"
        if let decay { recipe.reasons[.decay] = "weight decay \(decay): \(why)" }
    }

    private func chooseEpochs(_ recipe: inout Recipe, _ shape: DatasetShape) {
        let usual =
            switch self {
            case .fast: 8
            case .balanced: 25
            case .best: 50
            }
        // A large log teaches in one epoch what a small one does in several.
        let share = min(2, (1e6 / Double(max(1, shape.events))).squareRoot())
        recipe.options.epochs = max(2, Int((Double(usual) * share).rounded()))
        recipe.options.learningRate = self == .fast ? 3e-3 : 2e-3
        recipe.reasons[.epochs] =
            "\(counted(recipe.options.epochs, "epoch")): the \(rawValue) preset has \(usual) for a million events, fewer for more"
    }

    private func chooseLoss(_ recipe: inout Recipe, _ shape: DatasetShape) {
        recipe.repeatAware = true
        recipe.reasons[.repeats] = "repeat-aware: whether seen items come again is learnt from the data"
        guard shape.items > Self.largestFullCatalogue else { return }
        recipe.options.loss = .sampled
        recipe.reasons[.loss] = "sampled loss: \(shape.items) items are more than \(Self.largestFullCatalogue)"
        // It would reach popular items in every step and rare ones hardly ever: not measured, so left out.
        recipe.options.weightDecay = nil
        recipe.reasons[.decay] = nil
    }

    private static let largestFullCatalogue = 100_000
}

/// Settings, and the reasons for those that are not the same for all.
public struct Recipe: Sendable, Equatable {
    /// How to train.
    public var options = TrainingOptions()
    /// Whether the model has a repeat-aware head.
    public var repeatAware = false
    /// A sentence for each choice that depends on preset or data.
    public var reasons: [Choice: String] = [:]

    /// What a recipe chooses.
    public enum Choice: Sendable, CaseIterable {
        /// ``TrainingOptions/epochs``.
        case epochs
        /// ``TrainingOptions/dropout``.
        case dropout
        /// ``TrainingOptions/weightDecay``.
        case decay
        /// ``TrainingOptions/loss``.
        case loss
        /// ``Recipe/repeatAware``.
        case repeats
    }
}
