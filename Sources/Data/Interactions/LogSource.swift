import FileSupport
public import Foundation

/// The source of a log or of a part of it.
public enum LogSource: Sendable, Equatable {
    /// A file, gzipped or not.
    case file(URL)
    /// The rest of standard input.
    case standardInput

    /// Name for messages.
    public var path: String {
        switch self {
        case .file(let url): url.path
        case .standardInput: "standard input"
        }
    }

    /// A short name for the dataset's summary.
    public var name: String {
        switch self {
        case .file(let url): url.lastPathComponent
        case .standardInput: "standard input"
        }
    }

    /// The same with every folder replaced by the files in it and in its folders, in the order of their names, without hidden
    /// ones and those that begin with `_`, like the marker files of Spark and Hadoop. Throws where a folder holds no file, or a file
    /// would be read twice.
    public static func expanded(_ sources: [LogSource]) throws(DatasetError) -> [LogSource] {
        var all: [LogSource] = []
        for source in sources {
            guard case .file(let url) = source, isFolder(url) else {
                all.append(source)
                continue
            }
            let files = try files(in: url)
            if files.isEmpty { throw .unusable("\(url.path): the folder holds no files") }
            all += files
        }
        var seen: Set<String> = []
        for source in all where !seen.insert(source.identity).inserted {
            throw .unusable("\(source.path) is given twice: its events would count twice")
        }
        return all
    }

    private var identity: String {
        switch self {
        case .file(let url): url.resolvingSymlinksInPath().standardizedFileURL.path
        case .standardInput: "-"
        }
    }

    private static func files(in folder: URL) throws(DatasetError) -> [LogSource] {
        let names = try withFileErrors { () throws(FileError) in try entries(ofFolder: folder.path).sorted() }
        var sources: [LogSource] = []
        for name in names where !name.hasPrefix(".") && !name.hasPrefix("_") {
            let url = folder.appendingPathComponent(name)
            sources += isFolder(url) ? try files(in: url) : [.file(url)]
        }
        return sources
    }

    private static func isFolder(_ url: URL) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) && isFolder.boolValue
    }

    func open() throws(DatasetError) -> LineReader {
        switch self {
        case .file(let url): try withFileErrors { () throws(FileError) in try LineReader(url) }
        case .standardInput: LineReader(standardInput: ())
        }
    }
}
