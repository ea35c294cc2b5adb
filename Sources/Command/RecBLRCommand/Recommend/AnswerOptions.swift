import ArgumentParser
import Foundation

/// The formats of answers.
enum AnswerFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, jsonl, tsv, csv
}

/// Options for the output and its format.
struct AnswerOptions: ParsableArguments {
    @Option(
        help: """
            text, json (one list), jsonl (an object a line), tsv or csv. (default: as the output file is called, else \
            text for --user, --history and --title, jsonl for files and --all-users)
            """)
    var format: AnswerFormat?
    @Flag(help: "The same as --format json.") var json = false
    @Flag(
        help: """
            Say for each item which events speak for and against it: what each adds to the score, with the gates of the model as they \
            are, and for the three that weigh most the score without the event. Text, json and jsonl only.
            """)
    var explain = false
    @Option(
        name: .shortAndLong, help: "Write to this file, whole or not at all, instead of standard output.",
        transform: pathArgument)
    var output: String?

    func validate() throws {
        if json, let format, format != .json {
            throw ValidationError("--json and --format \(format.rawValue) contradict each other.")
        }
        if explain, [.tsv, .csv].contains(self.format(isBatch: false)) {
            throw ValidationError("--explain: tsv and csv hold ids only: use text, json or jsonl.")
        }
        guard let output else { return }
        if ["gz", "zip", "zst", "bz2", "xz"].contains(pathExtension) {
            throw ValidationError("--output: answers are not packed: leave --output out and write | gzip > \(output)")
        }
        var isFolder: ObjCBool = false
        let path = fileURL(output).resolvingSymlinksInPath().path
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return }
        if isFolder.boolValue { throw ValidationError("--output: \(output) is a folder, expected a file.") }
        let kind = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
        if kind != .typeRegular {
            throw ValidationError("--output: \(output) is no regular file: leave --output out and write > \(output)")
        }
    }

    private var pathExtension: String { output.map { fileURL($0).pathExtension.lowercased() } ?? "" }

    func format(isBatch: Bool) -> AnswerFormat {
        if json { return .json }
        let named = pathExtension == "txt" ? .text : AnswerFormat(rawValue: pathExtension)
        return format ?? named ?? (isBatch ? .jsonl : .text)
    }
}
