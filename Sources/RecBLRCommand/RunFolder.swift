import ArgumentParser
import FileSupport
import Foundation
import Training

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where an unfinished run keeps its checkpoint and log: beside the model's folder, under its name and `.training`.
struct RunFolder {
    let url: URL
    var log: URL { url.appendingPathComponent("training.jsonl") }
    private var checkpoint: URL { url.appendingPathComponent("checkpoint.safetensors") }

    /// A run that is there already is gone on with or thrown away only where that was asked for.
    init(model: URL, resume: Bool, restart: Bool) throws {
        let name = model.standardizedFileURL.lastPathComponent
        url = model.standardizedFileURL.deletingLastPathComponent().appendingPathComponent(name + ".training")
        let manager = FileManager.default
        if restart { try? manager.removeItem(at: url) }
        if manager.fileExists(atPath: checkpoint.path), !resume {
            throw fail(
                .usage, "\(url.path) holds an unfinished run: go on with --resume or throw it away with --restart")
        }
    }

    /// Makes the folder, if it is not there.
    func create() throws(FileError) {
        do { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) } catch {
            throw FileError(path: url.path, operation: "create", reason: error.localizedDescription)
        }
    }

    /// Leaves nothing of a run that has no checkpoint to go on from.
    func tidy() {
        if FileManager.default.fileExists(atPath: checkpoint.path) { return }
        try? FileManager.default.removeItem(at: log)
        rmdir(url.path)  // which somebody else's files prevent
    }

    /// Writes the whole log into the finished model's folder (a crash may have cost the running one a line) and removes
    /// what the run needed.
    func close(into model: URL, _ epochs: [EpochRecord]) throws(FileError) {
        try writeFile(epochs.flatMap(EpochLog.line), to: model.appendingPathComponent("training.jsonl"))
        try? FileManager.default.removeItem(at: url)
    }
}

/// One JSON object an epoch.
struct EpochLog {
    private let handle: FileHandle
    private let path: String

    init(_ url: URL, appending: Bool) throws(FileError) {
        path = url.path
        if !appending || !FileManager.default.fileExists(atPath: path) { try writeFile([], to: url) }
        guard let handle = FileHandle(forWritingAtPath: path) else {
            throw FileError(path: path, operation: "write", reason: "it cannot be opened")
        }
        self.handle = handle
        _ = try? handle.seekToEnd()
    }

    static func line(_ record: EpochRecord) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return Array((try? encoder.encode(record)) ?? Data()) + [0x0A]
    }

    mutating func append(_ record: EpochRecord) throws(FileError) {
        do { try handle.write(contentsOf: Self.line(record)) } catch {
            throw FileError(path: path, operation: "write", reason: error.localizedDescription)
        }
    }
}
