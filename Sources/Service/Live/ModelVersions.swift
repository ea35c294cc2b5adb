import FileSupport
import Foundation
import ModelStore
import Models

/// The versions of the model in a folder: its subfolders that are models, by name; or the folder itself, where it is one model.
struct ModelVersions: Sendable {
    let folder: URL
    private let isOneModel: Bool

    init(_ folder: URL) {
        self.folder = folder
        isOneModel = Self.isModel(folder)
    }

    private static func isModel(_ url: URL) -> Bool {
        FileManager.default.fileExists(atPath: url.appendingPathComponent(ModelFolder.File.configuration).path)
    }

    /// The names of all versions, the newest last: by the time when `config.json` was written, then by name.
    func names() throws(ServiceError) -> [String] {
        if isOneModel { return [folder.lastPathComponent] }
        let entries: [String]
        do { entries = try FileManager.default.contentsOfDirectory(atPath: folder.path) } catch {
            throw .notFound("folder of models \(folder.path)")
        }
        return entries.filter { !$0.hasPrefix(".") && Self.isModel(folder.appendingPathComponent($0)) }
            .map { (written($0), $0) }.sorted { $0 < $1 }.map(\.1)
    }

    private func written(_ version: String) -> Date {
        let path = url(version).appendingPathComponent(ModelFolder.File.configuration).path
        return (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date ?? .distantPast
    }

    /// The folder of a version.
    func url(_ version: String) -> URL { isOneModel ? folder : folder.appendingPathComponent(version) }
}

extension ModelConfiguration {
    /// For lists of models.
    var summary: String { "\(mixer.rawValue), hidden size \(hiddenSize), \(counted(layerCount, "layer"))" }
}
