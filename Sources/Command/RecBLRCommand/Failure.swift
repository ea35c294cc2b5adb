import ArgumentParser
import ErrorSupport
import Report

/// Ends the program with one sentence on standard error.
func fail(_ status: ExitStatus, _ message: String) -> ExitCode {
    printError("recblr: " + printable(message))
    return ExitCode(status.rawValue)
}

/// Ends the program with what an error says, what helps, and its code.
func fail(_ error: any UserFacingError) -> ExitCode { fail(error.exitStatus, sentence(error)) }

/// What is wrong and what can be done about it, in one sentence.
func sentence(_ error: any UserFacingError) -> String {
    let remedies = error.remedies.map(text).joined(separator: ", or ")
    return remedies.isEmpty ? error.description : "\(error); \(remedies)"
}
