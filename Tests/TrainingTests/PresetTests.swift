import Identifiers
import Interactions
import Testing

@testable import Training

/// What presets choose, and that they say why.
@Suite struct PresetTests {
    @Test func dropoutFollowsTheLengthOfHistoriesAndTheSizeOfTheLog() {
        for (users, length, dropout) in [
            (10_000, 200, 0.2), (10_000, 50, 0.2), (100_000, 49, 0.4), (1_000, 200, 0.4), (1_000, 15, 0.4),
            (1_000_000, 14, 0.5),
            (100, 1, 0.5),
        ] {
            let shape = DatasetShape(users: users, items: 50, events: users * length)
            #expect(Preset.balanced.recipe(for: shape).options.dropout == Float(dropout))
        }
    }

    @Test func shorterHistoriesAndSmallerLogsDecayMore() {
        func decay(_ users: Int, _ length: Int) -> Float {
            let recipe = Preset.balanced.recipe(for: DatasetShape(users: users, items: 50, events: users * length))
            #expect((recipe.options.weightDecay == nil) == (recipe.reasons[.decay] == nil))
            return recipe.options.weightDecay ?? 0
        }
        #expect(decay(100_000, 200) < decay(100_000, 20) && decay(100_000, 20) < decay(100_000, 8))
        #expect(decay(100_000, 200) < decay(1_000, 200) && decay(100_000, 20) < decay(1_000, 20))
    }

    @Test func moreTimeMeansMoreEpochs() {
        for events in [10, 1_000_000, 50_000_000] {
            let shape = DatasetShape(users: 1 + events / 100, items: 1000, events: events)
            let epochs = Preset.allCases.map { $0.recipe(for: shape).options.epochs }
            #expect(epochs == epochs.sorted() && Set(epochs).count == 3 && epochs[0] >= 2)
        }
        let (small, large) = (
            DatasetShape(users: 10, items: 10, events: 1_000_000),
            DatasetShape(users: 10, items: 10, events: 32_000_000)
        )
        #expect(Preset.balanced.recipe(for: small).options.epochs == 25)
        #expect(Preset.balanced.recipe(for: large).options.epochs == 4)
    }

    /// The validation NDCG@10 of the paper's model on MovieLens-100K, seed 4: the sixth epoch was a lucky one, and the best was still to come.
    @Test func aLuckyEpochEndsNothing() {
        let lucky = [
            0.0407, 0.0512, 0.0633, 0.0589, 0.0579, 0.0724, 0.0633, 0.0690, 0.0617, 0.0645, 0.0672, 0.0648, 0.0595,
            0.0606, 0.0699, 0.0670, 0.0590, 0.0654, 0.0702, 0.0700, 0.0600, 0.0692, 0.0707, 0.0691, 0.0707, 0.0697,
        ]
        #expect(TrainingOptions.lengthWithBestMean(lucky) == 26)
        #expect(TrainingOptions.lengthWithBestMean([]) == 0)
        #expect(TrainingOptions.lengthWithBestMean(Array(repeating: 0.1, count: 40)) == 1)
        #expect(TrainingOptions.lengthWithBestMean([0.1, 0.2, 0.3, 0.4, 0.5] + Array(repeating: 0.3, count: 30)) == 7)
    }

    /// At least two fifths, rounded up.
    @Test(arguments: Preset.allCases) func patienceIsAShareOfTheEpochs(preset: Preset) {
        for events in [10, 300_000, 1_000_000, 50_000_000] {
            var recipe = preset.recipe(for: DatasetShape(users: 1 + events / 100, items: 1000, events: events))
            let (epochs, patience) = (recipe.options.epochs, recipe.options.patience ?? 0)
            #expect(5 * patience >= 2 * epochs && 5 * (patience - 1) < 2 * epochs && patience >= 1)
            #expect(recipe.reasons[.patience] != nil)
            recipe.continueTraining()
            #expect(recipe.options.patience == nil && recipe.reasons[.patience] == nil)
        }
    }

    @Test func theBestPresetHasTeachers() {
        func recipe(_ preset: Preset, length: Int, users: Int = 100, items: Int = 50) -> Recipe {
            preset.recipe(for: DatasetShape(users: users, items: items, events: users * length))
        }
        for length in [9, 200] {
            let small = recipe(.best, length: length)
            #expect(small.teachers == 3 && small.teacherDropout == nil && small.reasons[.teachers] != nil)
        }
        var long = recipe(.best, length: 200, users: 10_000)
        #expect(long.teachers == 3 && long.teacherDropout == 0.2 && long.options.dropout == 0.1)
        #expect(long.reasons[.taughtDropout] != nil)
        for other in [
            recipe(.balanced, length: 9), recipe(.fast, length: 200), recipe(.best, length: 9, items: 100_001),
        ] {
            #expect(other.teachers == 0 && other.teacherDropout == nil && other.reasons[.teachers] == nil)
        }
        long.continueTraining()
        #expect(long.teachers == 0 && long.options.dropout == 0.2)
        #expect(long.reasons[.teachers] == nil && long.reasons[.taughtDropout] == nil)
    }

    /// A training of few steps comes to its rate; one of a thousand and more, or one that may be lengthened, keeps its warm-up.
    @Test func shortTrainingsWarmUpShortly() {
        let data = Dataset(sequences: (0..<50).map { _ in [1, 2, 3, 4, 1, 2, 3] }, itemCount: 4)  // 200 inputs
        func warmup(_ change: (inout TrainingOptions) -> Void) -> Int {
            var options = Preset.balanced.recipe(for: DatasetShape(data)).options
            (options.batchTokens, options.epochs) = (20, 30)
            change(&options)
            options.shortenWarmup(data, .leaveOneOut(data))
            return options.warmupSteps
        }
        #expect(warmup { _ in } == 30)
        #expect(warmup { $0.epochs = 100 } == 100 && warmup { $0.epochs = 99 } == 99)
        #expect(warmup { $0.warmupSteps = 10 } == 10 && warmup { ($0.warmupSteps, $0.epochs) = (10, 2) } == 2)
        #expect(warmup { ($0.batchTokens, $0.epochs) = (1000, 1) } == 1)
        #expect(warmup { $0.schedule = .constant } == 100)
        #expect(warmup { $0.batchTokens = 0 } == 100, "the training itself will refuse it")
    }

    @Test func hugeCataloguesAreSampled() {
        let small = Preset.balanced.recipe(for: DatasetShape(users: 9, items: 100_000, events: 100))
        #expect(small.options.loss == .full && small.repeatAware && small.reasons[.repeats] != nil)
        let large = Preset.balanced.recipe(for: DatasetShape(users: 9, items: 100_001, events: 100))
        #expect(large.options.loss == .sampled && large.repeatAware && large.reasons[.loss] != nil)
        #expect(large.options.weightDecay == nil && large.reasons[.decay] == nil)
    }

    @Test func hugeCataloguesLearnSlowly() {
        func rate(items: Int) -> Float {
            Preset.balanced.recipe(for: DatasetShape(users: 1000, items: items, events: 100_000)).options.learningRate
        }
        #expect(rate(items: 100_000) == 5e-3 && rate(items: 100_001) == 2e-3)
    }

    /// A robot among visitors decides nothing, but a mean of users who differ does.
    @Test func outliersDoNotCount() {
        func recipe(_ lengths: [Int]) -> Recipe {
            let data = Dataset(sequences: lengths.map { Array(repeating: 1, count: $0) }, itemCount: 1)
            return Preset.balanced.recipe(for: DatasetShape(data))
        }
        let robot = recipe(Array(repeating: 5, count: 1500) + [300_000])
        #expect(robot.options.dropout == 0.5 && robot.options.weightDecay == 1)
        #expect(
            robot.reasons[.dropout]
                == "dropout 0.5: 7,430 events, 5.0 in a history on average, without 15 users with 97 % of all events")
        let skewed = recipe(Array(repeating: 5, count: 99) + [400])
        #expect(skewed.reasons[.dropout] == "dropout 0.5: 895 events, 9.0 in a history on average")
        #expect(recipe([400, 5, 5]).reasons[.dropout] == "dropout 0.4: 410 events, 136.7 in a history on average")
    }

    @Test func everyRecipeIsValid() throws {
        for preset in Preset.allCases {
            for events in [0, 1, 1000, 1_000_000_000] {
                let recipe = preset.recipe(for: DatasetShape(users: events / 7, items: events / 3, events: events))
                try recipe.options.validate()
                #expect(recipe.reasons[.epochs] != nil && recipe.reasons[.dropout] != nil)
            }
        }
    }
}
