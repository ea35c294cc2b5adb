import Evaluation
public import ModelStore
public import Models
public import Tensors

/// A trained model whose predictions another one of any shape learns from, beside the events (knowledge distillation: Hinton, Vinyals & Dean
/// 2015). Several of different seeds teach more than one.
public struct Teacher: Sendable {
    /// Identifies the model: a run is resumed only with the teachers that it began with.
    public let fingerprint: String
    let model: SequenceModel

    /// A model over the items of the dataset, in their order; `fingerprint` is any text that other models do not have.
    public init(_ model: SequenceModel, fingerprint: String) {
        (self.model, self.fingerprint) = (model, fingerprint)
    }

    /// The model of a folder. Throws where its weights are damaged.
    public init(_ folder: ModelFolder, on device: ComputeDevice) throws(ModelFileError) {
        self.init(try folder.model(on: device), fingerprint: try folder.fingerprint)
    }
}

extension ModelConfiguration {
    /// Throws where models of this configuration cannot learn from `teachers` with these options.
    func check(
        _ teachers: [Teacher], _ options: TrainingOptions, on backend: any Backend
    ) throws(TrainingError) {
        guard !teachers.isEmpty else { return }
        guard options.loss == .full else { throw .option("teachers are for the full softmax loss") }
        guard !backend.isQueued else { throw .option("teachers are for CPUs: a GPU cannot learn from them") }
        for teacher in teachers.map(\.model.configuration) {
            guard teacher.itemCount == itemCount else {
                throw .evaluation(.itemCount(model: teacher.itemCount, dataset: itemCount))
            }
            guard usesTime || !teacher.usesTime else { throw .option("a teacher with time needs a model with time") }
        }
    }
}
