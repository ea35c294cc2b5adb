import ArgumentParser
import Foundation
import Interactions
import RecBLR
import Tensors
import Training

extension InputFormat: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}

/// A path as a file's address.
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
        if let given, given < 1 { throw ValidationError("--threads must be at least 1.") }
    }
}

/// How events are divided into training, validation and test.
struct SplitOptions: ParsableArguments {
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case leaveOneOut = "leave-one-out"
        case globalTime = "global-time"
    }

    @Option(
        help: """
            How to split: leave-one-out (a user's last event is the test, the one before it validation) or global-time \
            (the last tenth of all events by time is the test, the tenth before it validation). \
            (default: as the model was trained, else leave-one-out)
            """)
    var split: Kind?

    var kind: SplitKind? {
        switch split {
        case .leaveOneOut: .leaveOneOut
        case .globalTime: .globalTime(validationFraction: 0.1, testFraction: 0.1)
        case nil: nil
        }
    }
}
