import ArgumentParser
import CPUBackend
import ErrorSupport
import FileSupport
import Foundation
import Identifiers
import ModelStore
import Models

struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a model from weights that the paper's reference code trained.",
        discussion: """
            Takes a safetensors file of the reference implementation's parameters. It left-pads sequences to a power of \
            two, and its state before the first event depends on how many pads that is: give the sequence length it was \
            trained with.

            Example:

              recblr import reference.safetensors --length 200 --items items.tsv --model models/reference
            """)

    @Argument(help: "The safetensors file.", transform: pathArgument) var weights: String
    @Option(help: "Sequence length that the weights were trained with.") var length: Int
    @Option(
        name: .shortAndLong, help: "The model's folder. A model that is there is replaced, anything else refused.",
        transform: pathArgument)
    var model: String
    @Option(
        help: "Ids and titles of the items in order, as in a dataset's items.tsv. (default: their numbers)",
        transform: pathArgument)
    var items: String?
    @OptionGroup var json: JSONFlag

    func validate() throws {
        if !(1...65_536).contains(length) { throw ValidationError("--length must lie in 1 ... 65536.") }
    }

    func run() throws {
        let url = try outputFolder(model, "--model")
        try RunFolder.checkIdle(try ModelFolder.destination(url))
        let steps = ReferenceCheckpoint.warmupSteps(sequenceLength: length)
        let checkpoint = try ReferenceCheckpoint(fileURL(weights), warmupSteps: steps)
        let count = checkpoint.configuration.itemCount
        let names = try items.map { try Vocabulary.read(fileURL($0)) }
        if let names, names.count != count {
            throw fail(
                .badData, "\(items ?? "") names \(counted(names.count, "item")), the weights are for \(count)")
        }
        let vocabulary = names ?? Vocabulary(ids: (1...count).map(String.init))!
        try ModelFolder.write(
            try checkpoint.model(on: CPUBackend()), items: vocabulary, trainingRecord: nil, to: url)
        if json.isOn { return try printJSON(checkpoint.configuration) }
        try printOutput(
            "\(counted(count, "item")), \(describe(checkpoint.configuration)), \(counted(steps, "warm-up step")): \(model)"
        )
    }
}
