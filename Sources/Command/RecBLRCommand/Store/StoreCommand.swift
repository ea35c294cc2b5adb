import ArgumentParser
import ErrorSupport
import FileSupport
import Foundation
import SQLiteLog

struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Fill, export or back up the event log of `recblr serve`.",
        discussion: """
            Example:

              recblr store import ratings.csv --store shop.store
              recblr serve --models models --store shop.store
              recblr store backup --store shop.store --output backups/monday
            """,
        subcommands: [StoreImport.self, StoreExport.self, StoreBackup.self])
}

/// The folder of a store, for messages and for ``writeFolder(_:wrap:_:)``.
let storeFolder = FolderKind(
    name: "store",
    files: [
        SQLiteEventReader.fileName, SQLiteEventReader.fileName + "-wal", SQLiteEventReader.fileName + "-shm",
        "log.lock",
    ],
    marker: SQLiteEventReader.fileName, markerKeys: [])

/// Opens a store to read it, also beside a server.
func openStore(_ path: String) throws -> SQLiteEventReader {
    let file = fileURL(path).appendingPathComponent(SQLiteEventReader.fileName)
    guard FileManager.default.fileExists(atPath: file.path) else {
        throw fail(.noInput, "\(path) holds no store: there is no \(SQLiteEventReader.fileName)")
    }
    return try SQLiteEventReader(fileURL(path))
}

/// The URL of a folder for a new store. Throws where one is there, and where nothing can be written.
func newStoreFolder(_ path: String, _ option: String, instead: String) throws -> FolderDestination {
    let url = try outputFolder(path, option)
    if FileManager.default.fileExists(atPath: url.appendingPathComponent(SQLiteEventReader.fileName).path) {
        throw fail(.cannotCreate, "\(path) holds a store already: \(instead)")
    }
    return try FolderDestination(url, storeFolder)
}
