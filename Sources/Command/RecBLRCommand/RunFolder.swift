import ArgumentParser
import ErrorSupport
import FileSupport
import Foundation
import ModelStore
import Training

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The folder of an unfinished run's checkpoint, log and teachers: beside the model's folder, with its name and `.training`; inside of it
/// where the model's folder cannot be renamed. A running training holds a lock on it.
struct RunFolder {
    let url: URL
    private let model: FolderDestination
    private let lock: FileLock?

    private static let kind = FolderKind(
        name: "training", files: [logName, checkpointName], marker: checkpointName, markerKeys: [])
    private static let logName = "training.jsonl"
    private static let checkpointName = "checkpoint.safetensors"
    private static let teachersName = "teachers"

    var log: URL { url.appendingPathComponent(Self.logName) }
    var checkpoint: URL { url.appendingPathComponent(Self.checkpointName) }
    private var hasCheckpoint: Bool { FileManager.default.fileExists(atPath: checkpoint.path) }
    /// Models that are trained for the run's model to learn from, and their runs.
    var teachers: URL { url.appendingPathComponent(Self.teachersName) }
    private var hasTeachers: Bool { teacherEntries.contains { !$0.name.hasPrefix(".") } }

    /// Whether a run of a model has a checkpoint.
    static func hasCheckpoint(of model: FolderDestination) -> Bool {
        FileManager.default.fileExists(atPath: url(of: model).appendingPathComponent(checkpointName).path)
    }

    /// The URL of the run of a model.
    static func url(of model: FolderDestination) -> URL {
        if model.replacesFiles { return model.url.appendingPathComponent(FolderKind.innerRun) }
        let name = model.url.lastPathComponent + ".training"
        let url = model.url.deletingLastPathComponent().appendingPathComponent(name)
        return (try? followingLinks(url)) ?? url  // creating it throws a better error
    }

    /// Throws if a training of this model is running.
    static func checkIdle(_ model: FolderDestination) throws {
        if case .taken = FileLock.attempt(url(of: model).path) { throw isRunning(model) }
    }

    private static func isRunning(_ model: FolderDestination) -> any Error {
        fail(
            .cannotCreate,
            "another training into \(model.given.path) is running, it holds the lock on \(url(of: model).path): wait for its "
                + "end or choose another --model")
    }

    /// Locks the run's folder, which is created where it does not exist. An existing run is resumed or discarded only where that was
    /// requested, and a finished model is not trained again by mistake.
    init(_ model: FolderDestination, _ options: TrainingOptions, resume: Bool, restart: Bool) throws {
        self.model = model
        url = Self.url(of: model)
        lock = try Self.lock(url, model)
        do { try begin(options, resume: resume, restart: restart) } catch {
            rmdir(url.path)  // fails, as intended, where it is not empty
            throw error
        }
    }

    private static func lock(_ url: URL, _ model: FolderDestination) throws -> FileLock? {
        for _ in 0..<100 {
            try makeFolder(url)
            switch FileLock.attempt(url.path) {
            case .held(let lock): return lock
            case .taken: throw isRunning(model)
            case .impossible: continue  // another process may just have removed it
            }
        }
        printError("recblr: warning: \(url.path) cannot be locked: make sure that no other process trains this model")
        return nil
    }

    private func begin(_ options: TrainingOptions, resume: Bool, restart: Bool) throws {
        if restart {
            for file in [log, checkpoint] { unlink(file.path) }
            removeTeachers()
            return
        }
        if hasCheckpoint || hasTeachers {
            if resume { return }
            throw fail(
                .usage, "\(url.path) holds an unfinished run: go on with --resume or throw it away with --restart")
        }
        guard EpochLog.isOurs(log) else {
            throw fail(.cannotCreate, "\(log.path) is no log of this program: move it away or choose another --model")
        }
        guard resume else { return }
        let name = ModelFolder.File.configuration
        if FileManager.default.fileExists(atPath: model.url.appendingPathComponent(name).path) {
            return try lengthen(try ModelFolder.open(model.url), options)
        }
        printError("There is no unfinished run: training begins.")
    }

    /// Continues a finished model, where it has a checkpoint and the options have more epochs.
    private func lengthen(_ finished: ModelFolder, _ options: TrainingOptions) throws {
        guard let record = try TrainingRecord.read(finished) else {
            throw fail(.usage, "\(model.given.path) was imported: there is no training to go on with")
        }
        let done = "\(model.given.path) is finished, after epoch \(record.epochs.count)"
        let source = model.url.appendingPathComponent(ModelFolder.File.checkpoint)
        guard FileManager.default.fileExists(atPath: source.path) else {
            throw fail(
                .usage,
                record.teachers == nil
                    ? "\(done), and its learning rate has fallen to its end: train anew with --restart and the --epochs that you "
                        + "want (with --schedule constant a training can be lengthened)"
                    : "\(done), and its teachers are gone: train anew with --restart")
        }
        if options.isOver(after: record.epochs) {
            let more = options.schedule == .constant ? "--epochs or --patience" : "--patience"
            throw fail(.usage, "\(done): go on with more \(more), or train anew with --restart")
        }
        try copyFile(source, to: checkpoint)
        printError("\(done): training goes on to epoch \(options.epochs).")
    }

    /// Throws where there are teachers, for a run that has none.
    func refuseTeachers() throws {
        guard hasTeachers else { return }
        throw fail(
            .usage,
            "\(url.path) holds the teachers of a run with --preset best, and this run has none: go on with the options of that, "
                + "or begin anew with --restart")
    }

    /// Removes the folder of a run without a checkpoint and without teachers.
    func tidy() {
        let finished = model.url.appendingPathComponent(ModelFolder.File.checkpoint).path
        rmdir(teachers.path)  // fails, as intended, where it is not empty
        guard !hasTeachers else { return }
        if !hasCheckpoint
            || FileManager.default.contentsEqual(atPath: checkpoint.path, andPath: finished)
        {
            clear()
        }
    }

    /// Writes the finished model; where that fails, prints that the checkpoint is still there.
    func keepingRun(_ write: () throws -> Void) throws {
        do { try write() } catch {
            printError("recblr: note: the training is kept in \(url.path): --resume writes its model.")
            throw error
        }
    }

    /// What belongs to teachers, which are called by numbers, with what killed writers left (.NUMBER.RANDOM.tmp). Nothing behind a link.
    private var teacherEntries: [(name: String, kind: FolderKind)] {
        guard !isLink(teachers) else { return [] }
        return ((try? FileManager.default.contentsOfDirectory(atPath: teachers.path)) ?? []).compactMap { name in
            let parts = (name.hasPrefix(".") ? name.dropFirst() : name[...]).split(separator: ".")
            guard let number = parts.first.flatMap({ Int($0) }), (1...9).contains(number),
                name == "\(number)" || name == "\(number).training" || (name.hasPrefix(".") && parts.last == "tmp")
            else { return nil }
            return (name, name.hasSuffix(".training") ? Self.kind : ModelFolder.File.folder)
        }
    }

    private func isLink(_ url: URL) -> Bool {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: url.path)) != nil
    }

    /// Other files stay. A model without its configuration is one that was being removed.
    private func removeTeachers() {
        for (name, kind) in teacherEntries {
            let entry = teachers.appendingPathComponent(name)
            let marker = entry.appendingPathComponent(kind.marker).path
            guard !isLink(entry),
                kind.markerKeys.isEmpty || kind.isAt(entry) || !FileManager.default.fileExists(atPath: marker)
            else { continue }
            _ = kind.removeFiles(from: entry)
        }
        rmdir(teachers.path)
    }

    /// Removes the run's files; other files stay.
    func clear() {
        removeTeachers()
        let inner = (try? FileManager.default.contentsOfDirectory(atPath: teachers.path)) ?? []
        let others =
            Self.kind.removeFiles(from: url).filter { $0 != Self.teachersName || inner.isEmpty }
            + inner.map { Self.teachersName + "/" + $0 }
        guard let first = others.first else { return }
        let more = others.count > 1 ? " and \(others.count - 1) more" : ""
        printError("recblr: note: \(url.path) stays: it holds \(first)\(more), which this program did not put there")
    }
}

/// The log of a run: one JSON object for each epoch. A line that cannot be written does not end training: the finished model has the
/// whole log.
struct EpochLog: ~Copyable {
    private var file: AppendedFile

    init(_ url: URL, appending: Bool) throws(FileError) { file = try AppendedFile(url, emptied: !appending) }

    static func line(_ record: EpochRecord) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return Array((try? encoder.encode(record)) ?? Data()) + [0x0A]
    }

    /// Whether there is no file, or one with lines of epochs.
    static func isOurs(_ url: URL) -> Bool {
        guard FileManager.default.fileExists(atPath: url.path) else { return true }
        guard let bytes = try? readFile(url) else { return false }
        let first = bytes.prefix { $0 != 0x0A }
        return bytes.isEmpty || (try? JSONDecoder().decode(EpochRecord.self, from: Data(first))) != nil
    }

    mutating func append(_ record: EpochRecord) {
        do { try file.append(Self.line(record)) } catch {
            printError("recblr: warning: \(error); training goes on, and the model's log will be whole")
        }
    }
}
