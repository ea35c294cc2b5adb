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
    var kind: SplitKind
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
        try makeFolder(folder)
        return try (1...count).map { number in
            let name = "Teacher \(number) of \(count)"
            let place = try ModelFolder.destination(folder.appendingPathComponent("\(number)"))
            let options = options(of: number)
            let trainer = try Trainer(
                data, split, configuration, options, backend: backend, checkpointFolder: RunFolder.url(of: place))
            if FileManager.default.fileExists(atPath: place.url.path) {
                try check(place.url, options, trainer.backendName)
                printError("\(name) is trained.")
            } else {
                printError("\(name):")
                try train(trainer, options, name, to: place)
            }
            return try Teacher(try ModelFolder.open(place.url), on: ComputeDevice(backend))
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
    private func check(_ place: URL, _ options: TrainingOptions, _ backend: String) throws {
        let model = try ModelFolder.open(place)
        guard let record = try TrainingRecord.read(model) else {
            throw fail(.badData, "\(place.path) has no record of its training: train anew with --restart")
        }
        var others =
            try differences(options, record.options, but: []) + differences(configuration, model.configuration, but: [])
        if record.dataset != data.summary.mark { others.append("other data") }
        if record.split != kind { others.append("another split") }
        if record.backend != backend { others.append("\(backend) (there \(record.backend))") }
        if record.version != programVersion { others.append("version \(programVersion) (there \(record.version))") }
        guard others.isEmpty else {
            throw fail(
                .usage,
                "\(place.path) was trained with other settings or data: \(others.joined(separator: ", ")); give those of there, "
                    + "or train anew with --restart")
        }
    }

    private func train(
        _ trainer: consuming Trainer, _ options: TrainingOptions, _ name: String, to place: FolderDestination
    ) throws {
        let hasBegun = RunFolder.hasCheckpoint(of: place)
        let run = try RunFolder(place, options, resume: hasBegun, restart: false)
        defer { run.tidy() }
        let progress = ProgressLine()
        let outcome = try trainer.run(resuming: hasBegun, shouldStop: { StopSignals.wereReceived }) {
            progress.show($0)
        }
        switch outcome {
        case .interrupted(let epoch, _):
            throw fail(.interrupted, "stopped in epoch \(epoch) of \(name.lowercased()); go on with --resume")
        case .finished(let model, var record):
            record.split = kind
            try run.keepingRun {
                try ModelFolder.write(
                    model, items: data.identifiers, trainingRecord: Array(try jsonText(record).utf8), to: place.url)
            }
            run.clear()
        }
    }
}
