public import ArgumentParser
import Foundation
public import Interactions
import Models
public import Tensors
import Training

extension InputFormat: ExpressibleByArgument {}
extension Deduplication: ExpressibleByArgument {}
extension Delimiter: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
extension Precision: ExpressibleByArgument {}

/// A path argument. Throws where it is empty, which would mean the current folder.
func pathArgument(_ text: String) throws -> String {
    guard !text.allSatisfy(\.isWhitespace) else {
        throw ValidationError("it is empty (a variable that is not set?)")
    }
    return text
}

/// The URL of a path; ~ is the home folder.
func fileURL(_ path: String) -> URL { URL(fileURLWithPath: (path as NSString).expandingTildeInPath) }

struct JSONFlag: ParsableArguments {
    @Flag(name: .customLong("json"), help: "Print the result as JSON on standard output.")
    var isOn = false
}

struct ThreadsOption: ParsableArguments {
    @Option(name: .customLong("threads"), help: "Threads to use. (default: all cores)")
    var given: Int?

    var count: Int { given ?? ProcessInfo.processInfo.activeProcessorCount }

    func validate() throws {
        if let given, !TrainingOptions.threadRange.contains(given) {
            let range = TrainingOptions.threadRange
            throw ValidationError("--threads must lie in \(range.lowerBound) ... \(grouped(range.upperBound)).")
        }
    }
}
