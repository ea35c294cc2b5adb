import ArgumentParser
import Training

/// The program: each command reads its arguments, calls the library and prints.
struct RecBLRCommand: ParsableCommand {
    /// Errors of arguments begin like all others.
    static var _errorPrefix: String { "" }

    static let configuration = CommandConfiguration(
        commandName: "recblr",
        abstract: "Learns from who did what, when, and says what comes next.",
        discussion: """
            From a log to recommendations:

              recblr prepare ratings.csv --output data/shop
              recblr train data/shop --model models/shop
              recblr recommend models/shop --data data/shop --user 42
            """,
        version: programVersion,
        subcommands: [
            Prepare.self, Train.self, Evaluate.self, Recommend.self, Import.self, Export.self, Inspect.self,
            Experiment.self,
            Devices.self, Serve.self, StoreCommand.self,
        ])
}
