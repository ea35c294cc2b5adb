import FileSupport
public import Interactions

/// The size of a dataset.
public struct DatasetShape: Sendable, Equatable {
    /// Number of users, items and events.
    public var users, items, events: Int
    /// Users, with their events, who are so few and have so many that they say nothing about the others: the hundredth with the longest histories, if more than
    /// half of all events are theirs. A robot, say, or a shop's own account.
    public private(set) var outliers = Outliers(users: 0, events: 0)

    /// A number of users and of their events.
    public struct Outliers: Sendable, Equatable {
        /// Number of users, and of all their events.
        public let users, events: Int
    }

    /// A dataset of this many users, items and events.
    public init(users: Int, items: Int, events: Int) {
        (self.users, self.items, self.events) = (users, items, events)
    }

    /// The size of `data`. O(users · log users).
    public init(_ data: Dataset) {
        self.init(users: data.userCount, items: data.itemCount, events: data.eventCount)
        let longest = (0..<users).map(data.length(ofUser:)).sorted(by: >).prefix(max(1, users / 100))
        let theirs = longest.reduce(0, +)
        if users >= 20, 2 * theirs > events { outliers = Outliers(users: longest.count, events: theirs) }
    }

    /// The events of users who are no outliers.
    var usualEvents: Int { events - outliers.events }

    /// The mean number of events of a user who is no outlier.
    public var meanLength: Double { Double(usualEvents) / Double(max(1, users - outliers.users)) }
}

/// A choice of hyperparameters by the time that training may take.
public enum Preset: String, Sendable, CaseIterable, Codable {
    /// A first look: 8 epochs for a million events, fewer for more, at most twice as many for less.
    case fast
    /// The usual choice: 25 epochs, likewise.
    case balanced
    /// 50 epochs, likewise; with the full loss on a CPU after as many of each of three models with other seeds, which teach it.
    case best

    /// The settings for a dataset, and why. Chosen by validation metrics on ML-1M (long histories, many events), ML-100K and 1,090 users of
    /// ML-1M with 48 events each (few events) and Amazon Beauty (short histories); docs/results.md, "Presets".
    public func recipe(for shape: DatasetShape) -> Recipe {
        var recipe = Recipe()
        chooseRegularization(&recipe, shape)
        chooseEpochs(&recipe, shape)
        chooseLoss(&recipe, shape)
        chooseTeachers(&recipe, shape)
        return recipe
    }

    /// The fewer events a user has, and the fewer there are in all, the sooner a model overfits.
    private func chooseRegularization(_ recipe: inout Recipe, _ shape: DatasetShape) {
        let length = shape.meanLength
        let isLarge = shape.usualEvents >= Self.largeLog
        let (dropout, decay): (Float, Float?) =
            if length >= Self.longHistory, isLarge { (self == .fast ? 0.1 : 0.2, nil) } else if length >= 15 {
                (0.4, isLarge ? 0.3 : 1)
            } else { (0.5, 1) }
        recipe.options.dropout = dropout
        recipe.options.weightDecay = decay
        let outliers = shape.outliers
        let without =
            outliers.users == 0
            ? ""
            : ", without \(counted(outliers.users, "user")) with \(100 * outliers.events / shape.events) % of all events"
        let why =
            "\(counted(shape.usualEvents, "event")), \((10 * length).rounded() / 10) in a history on average\(without)"
        recipe.reasons[.dropout] = "dropout \(dropout): \(why)"
        if let decay { recipe.reasons[.decay] = "weight decay \(decay): \(why)" }
    }

    /// Events from which on long histories need little regularisation: between ML-100K and ML-1M, where nothing was measured.
    private static let largeLog = 300_000

    /// Events from which on the mean history is long.
    private static let longHistory = 50.0

    /// Share of the epochs without a better one after which training stops. Of 80 trainings that were left to run none was better later; with .3
    /// eight were, by up to 9 % (docs/results.md, "Presets").
    private static let patience = 0.4

    private func chooseEpochs(_ recipe: inout Recipe, _ shape: DatasetShape) {
        let usual =
            switch self {
            case .fast: 8
            case .balanced: 25
            case .best: 50
            }
        // An epoch over a large log has as many steps as several over a small one.
        let factor = min(2, (1e6 / Double(max(1, shape.events))).squareRoot())
        let epochs = max(2, Int((Double(usual) * factor).rounded()))
        let patience = Int((Self.patience * Double(epochs)).rounded(.up))
        (recipe.options.epochs, recipe.options.patience) = (epochs, patience)
        recipe.options.learningRate = 5e-3
        recipe.reasons[.epochs] =
            "\(counted(epochs, "epoch")): the \(rawValue) preset has \(usual) for a million events, fewer for more"
        recipe.reasons[.patience] = "stops after \(counted(patience, "epoch")) without a better validation NDCG@10"
    }

    private func chooseLoss(_ recipe: inout Recipe, _ shape: DatasetShape) {
        recipe.repeatAware = true
        recipe.reasons[.repeats] = "repeat-aware: whether seen items come again is learnt from the data"
        guard shape.items > Self.largestFullCatalogue else { return }
        recipe.options.loss = .sampled
        recipe.options.learningRate = 2e-3
        recipe.reasons[.loss] = "sampled loss: \(shape.items) items are more than \(Self.largestFullCatalogue)"
        // It would apply to popular items in every step and to rare ones hardly ever. Not measured, so not used.
        recipe.options.weightDecay = nil
        recipe.reasons[.decay] = nil
    }

    private static let largestFullCatalogue = 100_000

    /// Models of different seeds know different things. What several predict also keeps a model from overfitting, so that where little dropout
    /// is needed it can be less.
    private func chooseTeachers(_ recipe: inout Recipe, _ shape: DatasetShape) {
        guard self == .best, recipe.options.loss == .full else { return }
        recipe.teachers = 3
        recipe.reasons[.teachers] =
            "\(recipe.teachers) teachers: models of other seeds, trained first, whose predictions are half of what is learnt"
        guard shape.meanLength >= Self.longHistory, shape.usualEvents >= Self.largeLog else { return }
        recipe.teacherDropout = recipe.options.dropout
        recipe.options.dropout /= 2
        recipe.reasons[.taughtDropout] =
            "dropout \(recipe.options.dropout) for the model itself: the teachers keep it from overfitting, too"
    }
}

/// Hyperparameters chosen for a dataset, with reasons.
public struct Recipe: Sendable, Equatable {
    /// The options of training.
    public var options = TrainingOptions()
    /// Whether the model has a repeat-aware head.
    public var repeatAware = false
    /// The number of models of other seeds that are trained first as teachers (``Teacher``). Whoever has none calls ``removeTeachers()``.
    public var teachers = 0
    /// Their dropout; nil: that of ``options``.
    public var teacherDropout: Float?
    /// The options of the teachers, but for their seeds.
    public var teacherOptions: TrainingOptions {
        var options = options
        if let teacherDropout { options.dropout = teacherDropout }
        return options
    }
    /// One sentence for each choice that depends on the preset or the data.
    public var reasons: [Choice: String] = [:]

    /// The choices of a recipe.
    public enum Choice: Sendable, CaseIterable {
        /// ``TrainingOptions/epochs``.
        case epochs
        /// ``TrainingOptions/patience``.
        case patience
        /// ``TrainingOptions/dropout``.
        case dropout
        /// ``TrainingOptions/weightDecay``.
        case decay
        /// ``TrainingOptions/loss``.
        case loss
        /// ``Recipe/repeatAware``.
        case repeats
        /// ``Recipe/teachers``.
        case teachers
        /// ``TrainingOptions/dropout`` of the model, where its teachers have ``Recipe/teacherDropout``.
        case taughtDropout
    }
}

extension Recipe {
    /// Trains to the last epoch.
    public mutating func removePatience() {
        options.patience = nil
        reasons[.patience] = nil
    }

    /// Leaves the teachers out.
    public mutating func removeTeachers() {
        options = teacherOptions
        (teachers, teacherDropout) = (0, nil)
        (reasons[.teachers], reasons[.taughtDropout]) = (nil, nil)
    }
}
