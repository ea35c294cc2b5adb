import FileSupport
public import Foundation

/// The source of a log or of a part of it.
public enum LogSource: Sendable, Equatable {
    /// A file, compressed or not.
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
    /// ones and those that begin with `_`, like the marker files of Spark and Hadoop. Throws where a folder holds no file, a file
    /// would be read twice, or some files are text and others are not.
    /// - Parameter leftOut: called with the path of each file or folder of a folder that is left out.
    public static func expanded(
        _ sources: [LogSource], leftOut: (String) -> Void = { _ in }
    ) throws(DatasetError) -> [LogSource] {
        var all: [LogSource] = []
        for source in sources {
            guard case .file(let url) = source, isFolder(url) else {
                all.append(source)
                continue
            }
            let files = try files(in: url, leftOut)
            if files.isEmpty { throw .unusable("\(url.path): the folder holds no files") }
            all += files
        }
        var seen: Set<String> = []
        for source in all where !seen.insert(source.identity).inserted {
            throw .unusable("\(source.path) is given twice: its events would count twice")
        }
        try refuseMixture(all)
        return all
    }

    private var identity: String {
        switch self {
        case .file(let url): url.resolvingSymlinksInPath().standardizedFileURL.path
        case .standardInput: "-"
        }
    }

    /// Before hours are spent on the first of them. What is no regular file cannot be read twice, and is not looked at.
    private static func refuseMixture(_ sources: [LogSource]) throws(DatasetError) {
        guard sources.count > 1 else { return }
        var first: (path: String, kind: String)?
        for source in sources {
            guard case .file(let url) = source, isRegular(url), let kind = try source.kind() else { continue }
            guard let first else {
                first = (source.path, kind)
                continue
            }
            guard kind != first.kind else { continue }
            throw .unusable("\(first.path) is \(first.kind), \(source.path) is \(kind): they make no one log")
        }
    }

    /// "text" or "a Parquet file"; nil for an empty file.
    private func kind() throws(DatasetError) -> String? {
        var lines = try open()
        return try withFileErrors { () throws(FileError) in
            let head = try lines.peek(LayoutFinder.headSize)
            return head.isEmpty ? nil : Container(head, path: path)?.name ?? "text"
        }
    }

    private static func isRegular(_ url: URL) -> Bool {
        (try? url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true
    }

    private static func files(in folder: URL, _ leftOut: (String) -> Void) throws(DatasetError) -> [LogSource] {
        let names = try withFileErrors { () throws(FileError) in try entries(ofFolder: folder.path).sorted() }
        var sources: [LogSource] = []
        for name in names {
            let url = folder.appendingPathComponent(name)
            guard !name.hasPrefix("."), !name.hasPrefix("_") else {
                leftOut(url.path)
                continue
            }
            sources += isFolder(url) ? try files(in: url, leftOut) : [.file(url)]
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
