import Evaluation
import Identifiers
import Interactions
public import ModelStore
public import Models
public import Tensors

/// A trained model whose predictions another one learns from, beside the events (knowledge distillation: Hinton, Vinyals & Dean 2015). Several
/// of different seeds teach more than one.
public struct Teacher: Sendable {
    /// Identifies the model: a run is resumed only with the teachers that it began with.
    public let fingerprint: String
    let model: SequenceModel
    /// What its items are called; nil where that is not known.
    private let items: Vocabulary?

    /// A model over the items of the dataset, in their order; `fingerprint` is any text that other models do not have.
    public init(_ model: SequenceModel, fingerprint: String) {
        (self.model, self.fingerprint, items) = (model, fingerprint, nil)
    }

    /// The model of a folder. Throws where its weights are damaged.
    public init(_ folder: ModelFolder, on device: ComputeDevice) throws(ModelFileError) {
        (model, fingerprint, items) = (try folder.model(on: device), try folder.fingerprint, folder.items)
    }

    func check(_ configuration: ModelConfiguration, _ dataset: Dataset) throws(TrainingError) {
        guard model.configuration.itemCount == configuration.itemCount else {
            throw .evaluation(.itemCount(model: model.configuration.itemCount, dataset: configuration.itemCount))
        }
        guard items.map({ $0.ids == dataset.identifiers.ids }) ?? true else {
            throw .option("a teacher needs the items of the data, in their order")
        }
        guard configuration.usesTime || !model.configuration.usesTime else {
            throw .option("a teacher with time needs a model with time")
        }
        guard !model.backend.isQueued else { throw .teachersOnGPU }
    }
}

extension ModelConfiguration {
    /// Throws where models of this configuration cannot learn from `teachers` with these options.
    func check(
        _ teachers: [Teacher], _ dataset: Dataset, _ options: TrainingOptions, on backend: any Backend
    ) throws(TrainingError) {
        guard !teachers.isEmpty else { return }
        guard options.loss == .full else { throw .option("teachers are for the full softmax loss") }
        guard !backend.isQueued else { throw .teachersOnGPU }
        for teacher in teachers { try teacher.check(self, dataset) }
    }
}

extension TrainingError {
    static let teachersOnGPU = TrainingError.option("teachers are for CPUs: a GPU cannot learn from them")
}
