import ErrorSupport
import FileSupport
import Foundation
import Interactions
import ModelStore
import Models
import Tensors
import Training

/// The trainings of a model's teachers: models of its shape with other seeds. Each is written into the run's folder, where a resumed run finds
/// it.
struct TeacherTrainings {
    var data: Dataset
    var split: Split
    var configuration: ModelConfiguration
    /// Those of the model; the seed is another one for each teacher.
    var options: TrainingOptions
    /// Nil: as the model's.
    var dropout: Float?
    var backend: any Backend
    /// The run's folder of teachers.
    var folder: URL

    /// Trains so many teachers, or reads those that are there. Throws where it is interrupted.
    func teachers(_ count: Int) throws -> [Teacher] {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return try (1...count).map { number in
            let name = "Teacher \(number) of \(count)"
            let place = folder.appendingPathComponent("\(number)")
            if FileManager.default.fileExists(atPath: place.path) {
                try checkSettings(of: place, number)
                printError("\(name) is trained.")
            } else {
                printError("\(name):")
                try train(number, name, in: place)
            }
            return try Teacher(try ModelFolder.open(place), on: ComputeDevice(backend))
        }
    }

    /// Options of a teacher. Seeds far apart, so that the teachers of models with neighbouring seeds are not the same.
    private func options(of number: Int) -> TrainingOptions {
        var options = options
        options.seed &+= UInt64(number) << 32
        if let dropout { options.dropout = dropout }
        return options
    }

    /// Throws unless the teacher that an earlier process trained is the one that this run would train.
    private func checkSettings(of place: URL, _ number: Int) throws {
        let model = try ModelFolder.open(place)
        let record = try TrainingRecord.read(model)
        guard record?.options == options(of: number), model.configuration == configuration,
            record?.dataset == data.summary.mark
        else {
            throw fail(
                .usage,
                "\(place.path) was trained with other settings or data: give those, or train anew with --restart")
        }
    }

    private func train(_ number: Int, _ name: String, in place: URL) throws {
        let destination = try ModelFolder.destination(place)
        let options = options(of: number)
        let url = RunFolder.url(of: destination)
        let trainer = try Trainer(data, split, configuration, options, backend: backend, checkpointFolder: url)
        let hasBegun = FileManager.default.fileExists(atPath: url.path)
        let run = try RunFolder(destination, options, resume: hasBegun, restart: false)
        defer { run.tidy() }
        let progress = ProgressLine()
        let outcome = try trainer.run(resuming: run.hasCheckpoint, shouldStop: { StopSignals.wereReceived }) {
            progress.show($0)
        }
        switch outcome {
        case .interrupted(let epoch, _):
            throw fail(.interrupted, "stopped in epoch \(epoch) of \(name.lowercased()); go on with --resume")
        case .finished(let model, let record):
            try ModelFolder.write(
                model, items: data.identifiers, trainingRecord: Array(try jsonText(record).utf8), to: place)
            run.clear()
        }
    }
}
