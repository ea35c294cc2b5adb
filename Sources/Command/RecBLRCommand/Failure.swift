package import ErrorSupport

/// Why a command ends, in one sentence.
package struct Failure: UserFacingError {
    package let exitStatus: ExitStatus
    package let description: String
}

/// The error that ends a command with this sentence.
func fail(_ status: ExitStatus, _ message: String) -> Failure { Failure(exitStatus: status, description: message) }

/// What is wrong and what can be done about it, in one sentence; remedies in the words of `text`, which are those of the program's options
/// unless others are given.
package func sentence(_ error: any UserFacingError, _ text: (any Remedy) -> String = text) -> String {
    let remedies = error.remedies.map(text).joined(separator: ", or ")
    return remedies.isEmpty ? error.description : "\(error); \(remedies)"
}
