import Evaluation
import Foundation
import Interactions
import Layers
import Models
import Tensors

/// What is found out before training begins.
extension Trainer {
    /// Throws where data, shape, options, teachers and backend do not fit each other, or there is not enough memory.
    static func check(
        _ dataset: Dataset, _ split: Split, _ configuration: ModelConfiguration, _ options: TrainingOptions,
        _ teachers: [Teacher], _ backend: any Backend
    ) throws(TrainingError) {
        try options.validate()
        guard split.trainingEnd.contains(where: { $0 >= 2 }) else { throw .nothingToLearn }
        guard configuration.itemCount == dataset.itemCount else {
            throw .evaluation(.itemCount(model: configuration.itemCount, dataset: dataset.itemCount))
        }
        do { try configuration.validate(for: backend) } catch { throw .configuration(error) }
        if configuration.hasHeads, options.loss == .bpr {
            throw .option("a model with heads (repeats, transitions) is trained with a softmax loss: full or sampled")
        }
        if configuration.usesTime { do { try dataset.requireDates() } catch { throw .evaluation(error) } }
        try configuration.check(teachers, dataset, options, on: backend)
        try checkMemory(configuration, options, backend, teachers)
    }

    /// Throws where weights, moments and gradients exceed a limit of memory, before anything is allocated.
    private static func checkMemory(
        _ configuration: ModelConfiguration, _ options: TrainingOptions, _ backend: any Backend, _ teachers: [Teacher]
    ) throws(TrainingError) {
        // Weights, two moments and a checkpoint's copies of them, the best weights, gradients of each replica.
        let blocks = 7 + options.threads
        let count = configuration.layout.count
        let most = (1 << 31) - (1 << 20)  // a GPU's threads have 32-bit indices
        if backend.isQueued, count >= most {
            throw .device("a GPU trains less than \(most) weights; this model has \(count)")
        }
        let taught = teachers.reduce(0) { $0 + $1.model.configuration.layout.count }
        let bytes = Int(clamping: (UInt(count) * UInt(blocks) + UInt(taught)) * 4)
        let threads = backend.isQueued ? 1 : options.threads
        if let (needed, limit) = MemoryLimit.exceeded(by: bytes, addresses: threads * backend.addressesPerThread) {
            throw .memory(neededBytes: needed, limit)
        }
    }

    /// Throws where the checkpoint from which a run with so many teachers would be resumed is that of another run; which teachers they are is not
    /// compared before they are there. The trainer is not to be used any more.
    public consuming func checkCheckpoint(teachers count: Int) throws(TrainingError) {
        guard let checkpointURL, FileManager.default.fileExists(atPath: checkpointURL.path) else { return }
        let named = try Checkpoint.teachers(of: checkpointURL)
        var identity = identity
        if count > 0 { identity.teachers = named.count == count ? named : Array(repeating: "", count: count) }
        _ = try Checkpoint.read(
            checkpointURL, into: model, optimizer, identity, validationCases: split.validation.count)
    }
}
