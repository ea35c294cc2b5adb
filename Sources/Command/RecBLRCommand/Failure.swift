package import ErrorSupport

/// Why a command ends, in one sentence.
package struct Failure: UserFacingError {
    package let exitStatus: ExitStatus
    package let description: String
}

/// The error that ends a command with this sentence.
func fail(_ status: ExitStatus, _ message: String) -> Failure { Failure(exitStatus: status, description: message) }

/// What is wrong and what can be done about it, in one sentence.
package func sentence(_ error: any UserFacingError) -> String {
    let remedies = error.remedies.map(text).joined(separator: ", or ")
    return remedies.isEmpty ? error.description : "\(error); \(remedies)"
}
