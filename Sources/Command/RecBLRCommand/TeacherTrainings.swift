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
    /// The training of the model itself.
    var task: TrainingTask
    /// ``Trainer/backendName``.
    var backendName: String
    /// The run's folder of teachers.
    var folder: URL

    /// Trains so many teachers, or reads those that are there. Throws where it is interrupted.
    func teachers(_ count: Int) throws -> [Teacher] {
        try makeFolder(folder)
        return try (1...count).map { number in
            let (name, place) = ("Teacher \(number) of \(count)", folder.appendingPathComponent("\(number)"))
            if FileManager.default.fileExists(atPath: place.path) {
                let teacher = try read(place, number)
                printError("\(name) is trained.")
                return teacher
            }
            printError("\(name):")
            try train(number, name, to: try ModelFolder.destination(place))
            return try Teacher(try ModelFolder.open(place), on: ComputeDevice(task.backend))
        }
    }

    /// The teacher that an earlier process trained.
    private func read(_ place: URL, _ number: Int) throws -> Teacher {
        do {
            let model = try ModelFolder.open(place)
            try check(model, number)
            return try Teacher(model, on: ComputeDevice(task.backend))
        } catch let error as any UserFacingError {
            throw fail(
                error.exitStatus,
                "\(error); remove \(place.path), and --resume trains this teacher again, or begin anew with --restart")
        }
    }

    /// What a teacher's seed is more than its model's: far apart, so that the teachers of models with neighbouring seeds are not the same.
    private static func seedOffset(_ number: Int) -> UInt64 { UInt64(number) << 32 }

    private func options(of number: Int) -> TrainingOptions {
        var options = task.recipe.teacherOptions
        options.seed &+= Self.seedOffset(number)
        return options
    }

    /// Throws unless it is the teacher that this run would train.
    private func check(_ model: ModelFolder, _ number: Int) throws {
        let path = model.url.path
        guard var record = try TrainingRecord.read(model) else {
            throw fail(.badData, "\(path) has no record of its training: begin anew with --restart")
        }
        record.options.seed &-= Self.seedOffset(number)
        var others =
            try differences(task.recipe.teacherOptions, record.options)
            + differences(task.configuration, model.configuration)
        if record.dataset != task.data.summary.mark { others.append("other data") }
        if record.split != task.kind { others.append("another split") }
        if record.backend != backendName { others.append("\(backendName) (there \(record.backend))") }
        if record.version != programVersion { others.append("version \(programVersion) (there \(record.version))") }
        guard others.isEmpty else {
            throw fail(
                .badData,
                "\(path) was trained with other settings or data: \(others.joined(separator: ", ")); go on with those of there, "
                    + "or begin anew with --restart")
        }
    }

    private func train(_ number: Int, _ name: String, to place: FolderDestination) throws {
        let hasBegun = RunFolder.hasCheckpoint(of: place)
        let run = try RunFolder(place, options(of: number), resume: hasBegun, restart: false)
        defer { run.tidy() }
        let outcome: TrainingOutcome
        do { outcome = try self.run(number, in: run.url, resuming: hasBegun) } catch {
            guard case .otherRun(let path, .settings(let settings, let epochs)) = error else { throw error }
            throw TrainingError.otherRun(
                path: path, .settings(settings.map { asOfModel($0, number) }, cosineEpochs: epochs))
        }
        switch outcome {
        case .interrupted(let epoch, _):
            throw fail(.interrupted, "stopped in epoch \(epoch) of \(name.lowercased()); go on with --resume")
        case .finished(let model, var record):
            record.split = task.kind
            try run.keepingRun {
                try ModelFolder.write(
                    model, items: task.data.identifiers, trainingRecord: Array(try jsonText(record).utf8), to: place.url
                )
            }
            run.clear()
        }
    }

    private func run(_ number: Int, in folder: URL, resuming: Bool) throws(TrainingError) -> TrainingOutcome {
        let progress = ProgressLine()
        return try Trainer(
            task.data, task.split, task.configuration, options(of: number), backend: task.backend,
            checkpointFolder: folder
        ).run(resuming: resuming, shouldStop: Console.current.isStopped, report: progress.show)
    }

    /// A difference as one of the model's options: with its seed.
    private func asOfModel(_ setting: RunDifference.Setting, _ number: Int) -> RunDifference.Setting {
        guard setting.name == "seed" else { return setting }
        func seed(_ text: String?) -> String? {
            text.flatMap { UInt64($0) }.map { "\($0 &- Self.seedOffset(number))" } ?? text
        }
        return RunDifference.Setting(name: setting.name, was: seed(setting.was), now: seed(setting.now))
    }
}
