public import ArgumentParser
import ErrorSupport
import Interactions
import Layers
import Models
public import Training

extension Preset: ExpressibleByArgument {}
extension ModelConfiguration.Mixer: ExpressibleByArgument {}
extension TrainingOptions.Schedule: ExpressibleByArgument {}
extension TrainingOptions.Objective: ExpressibleByArgument {}
extension TrainingOptions.LossKind: ExpressibleByArgument {}

struct ShapeOptions: ParsableArguments {
    @Option(help: "Hidden size D. (default: 64)") var hiddenSize: Int?
    @Option(help: "Recurrent layers L. (default: 2)") var layers: Int?
    @Option(
        help: """
            What carries information from event to event: bdlru is RecBLR; attention, as in SASRec, sees the last events (not \
            on a GPU); lru, as in LRURec, is a recurrence whose decay does not depend on the events. (default: bdlru)
            """)
    var mixer: ModelConfiguration.Mixer?
    @Option(help: "Events W that --mixer attention attends to, the current one included. (default: 64)")
    var attentionWindow: Int?
    @Option(help: "Expansion E: the recurrence is E·D wide. (default: 2)") var expansion: Int?
    @Option(help: "Taps K of the convolution; 0 leaves it out. (default: 4)") var convolutionWidth: Int?
    @Flag(
        help: """
            Let the model know when events happened and when it is asked (not in the paper): the dataset needs dates.
            """)
    var time = false
    @Flag(help: "Leave the feed-forward networks out.") var withoutFeedForward = false
    @Flag(help: "Bare recurrences: no projections, convolution and output gates.") var recurrenceOnly = false
    @Flag(help: "Start the decays as other weights instead of on their ring.") var withoutDecayRing = false

    /// Throws where an option would change nothing in a model that has all else as in `base`.
    func check(_ base: ModelConfiguration) throws {
        let mixer = mixer ?? base.mixer
        if let name = optionOfAnotherMixer(than: mixer) {
            throw ValidationError("--mixer \(mixer.rawValue) has nothing that \(name) could change.")
        }
        let recurrenceOnly = recurrenceOnly || base.block == .recurrenceOnly
        if time, recurrenceOnly {
            throw ValidationError("--time needs the projections that --recurrence-only leaves out.")
        }
        if recurrenceOnly, expansion != nil || convolutionWidth != nil {
            throw ValidationError("--recurrence-only has nothing that --expansion or --convolution-width could change.")
        }
    }

    /// One that was given and would change nothing.
    private func optionOfAnotherMixer(than mixer: ModelConfiguration.Mixer) -> String? {
        let options: [(name: String, isGiven: Bool, mixers: Set<ModelConfiguration.Mixer>)] = [
            ("--attention-window", attentionWindow != nil, [.attention]),
            ("--expansion", expansion != nil, [.bdlru, .lru]),
            ("--convolution-width", convolutionWidth != nil, [.bdlru]),
            ("--time", time, [.bdlru]),
            ("--recurrence-only", recurrenceOnly, [.bdlru]),
            ("--without-decay-ring", withoutDecayRing, [.bdlru, .lru]),
        ]
        return options.first { $0.isGiven && !$0.mixers.contains(mixer) }?.name
    }

    /// A shape with the options that were given, and all else as in `base`.
    func configuration(basedOn base: ModelConfiguration) -> ModelConfiguration {
        var configuration = base
        if let hiddenSize { configuration.hiddenSize = hiddenSize }
        if let layers { configuration.layerCount = layers }
        if let mixer { configuration.mixer = mixer }
        if let attentionWindow { configuration.attentionWindow = attentionWindow }
        if let expansion { configuration.expansion = expansion }
        if let convolutionWidth { configuration.convolutionWidth = convolutionWidth }
        if time { configuration.usesTime = true }
        if withoutFeedForward { configuration.feedForward = false }
        if recurrenceOnly { configuration.block = .recurrenceOnly }
        if withoutDecayRing { configuration.decayInitialization = .normal }
        return configuration
    }
}

struct LearningOptions: ParsableArguments {
    @Option(
        help: """
            How much time it is worth; what the other options leave open follows from it and the data. best has twice as many \
            epochs as balanced, and on a CPU, with the full loss and without --from, three teachers.
            """)
    var preset: Preset = .balanced
    @Option(help: "Passes over the data.") var epochs: Int?
    @Option(help: "Events a step. (default: 1024)") var batchTokens: Int?
    @Option(help: "Peak learning rate. (default: 0.005, for more than 100,000 items 0.002)") var learningRate: Float?
    @Option(
        help: """
            Steps over which the learning rate rises. (default: 100, or 10 to continue a model; of a cosine schedule a tenth of its steps at most)
            """)
    var warmupSteps: Int?
    @Option(help: "cosine (to zero) or constant. (default: cosine)") var schedule: TrainingOptions.Schedule?
    @Option(
        help: """
            Dropout. (default: 0.2, fast 0.1, for 50 and more events per user in a log of 300,000 and more; 0.4 for 15 and \
            more; else 0.5)
            """)
    var dropout: Float?
    @Option(help: "every-position, or last-position as in the paper, much slower. (default: every-position)")
    var objective: TrainingOptions.Objective?
    @Option(help: "full, sampled or bpr. (default: full up to 100,000 items, else sampled)")
    var loss: TrainingOptions.LossKind?
    @Option(help: "Negatives a target for --loss sampled. (default: 512)") var negatives: Int?
    @Option(
        help: """
            Decoupled weight decay: a step first multiplies the weights that it moves by 1 - learning rate * decay. \
            (default: none for more than 100,000 items, and where dropout is 0.2 or 0.1; 0.3 for 15 and more events per user in a \
            log of 300,000 and more; else 1)
            """)
    var weightDecay: Float?
    @Option(help: "Largest norm of the gradient. (default: no limit)") var clipNorm: Float?
    @Option(
        help: """
            Stop after this many epochs without a better validation NDCG@10, or a better mean of five. (default: two fifths of the \
            preset's epochs; none with --epochs, --from, --epochs-from and in experiments)
            """)
    var patience: Int?
    @Option(help: "Longest piece of a history learnt from at once. (default: 512)") var maxLength: Int?
    @Option(help: "Seed of weights, order, dropout and negatives.") var seed: UInt64 = 1
    @Flag(
        inversion: .prefixedNo,
        help: """
            Learn how likely items of the history come again, by recency and count; without it the model is the paper's. \
            (default: yes to train, except with --loss bpr; no in experiments)
            """)
    var repeatAware: Bool?
    @Flag(
        inversion: .prefixedNo,
        help: """
            Learn how much it counts that an item followed one of the last three events before, by how often it did. \
            (default: no)
            """)
    var transitions: Bool?

    /// Throws where an option would have no effect.
    func refuseIgnored(_ recipe: Recipe, hasValidation: Bool) throws {
        let loss = recipe.options.loss
        if negatives != nil, loss != .sampled {
            throw fail(.usage, "--negatives is for --loss sampled; here the loss is \(loss.rawValue)")
        }
        if patience != nil, !hasValidation {
            throw fail(.usage, "--patience needs validation cases, and this split has none")
        }
    }

    /// The preset's recipe for this data, to begin or to continue a model, with the given options instead of its choices.
    func recipe(for data: Dataset, continuing: Bool = false, threads: Int) -> Recipe {
        var recipe = preset.recipe(for: DatasetShape(data))
        if continuing { recipe.continueTraining() }
        func set<Value>(
            _ path: WritableKeyPath<TrainingOptions, Value>, _ given: Value?, _ choice: Recipe.Choice? = nil
        ) {
            guard let given else { return }
            recipe.options[keyPath: path] = given
            if let choice { recipe.reasons[choice] = nil }
        }
        set(\.epochs, epochs, .epochs)
        set(\.batchTokens, batchTokens)
        set(\.learningRate, learningRate)
        set(\.warmupSteps, warmupSteps)
        set(\.schedule, schedule)
        set(\.dropout, dropout, .dropout)
        if dropout != nil { (recipe.teacherDropout, recipe.reasons[.taughtDropout]) = (nil, nil) }
        set(\.objective, objective)
        set(\.loss, loss, .loss)
        set(\.negatives, negatives)
        set(\.maximumLength, maxLength)
        if let weightDecay {
            recipe.options.weightDecay = weightDecay
            recipe.reasons[.decay] = nil
        }
        recipe.options.clipNorm = clipNorm
        if epochs != nil { recipe.removePatience() }  // who says how many gets them
        if let patience {
            recipe.options.patience = patience
            recipe.reasons[.patience] = nil
        }
        recipe.options.seed = seed
        recipe.options.threads = threads
        recipe.repeatAware = repeatAware ?? (recipe.repeatAware && recipe.options.loss != .bpr)
        if repeatAware != nil || !recipe.repeatAware { recipe.reasons[.repeats] = nil }
        if recipe.options.loss != .full { recipe.removeTeachers() }
        return recipe
    }
}
