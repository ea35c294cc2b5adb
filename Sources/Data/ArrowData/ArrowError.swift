public import ErrorSupport

/// Why a table cannot be taken from another program, or given to one.
public enum ArrowError: UserFacingError, Equatable {
    /// The other program failed: its own words.
    case producer(String)
    /// What it gave is not as the specification of the Arrow C interfaces has it.
    case malformed(String)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .producer(let reason): reason
        case .malformed(let reason): "malformed Arrow data: \(reason)"
        }
    }

    /// Bad data.
    public var exitStatus: ExitStatus { .badData }
}
