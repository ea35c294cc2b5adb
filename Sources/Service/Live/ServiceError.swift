public import ErrorSupport
public import Events

/// Why the service did not do what it was asked for.
public enum ServiceError: UserFacingError, Equatable {
    /// The log refused a change.
    case refused(ChangeRefusal)
    /// The log failed.
    case log(EventLogError)
    /// Requests wait longer than the limit; nothing was stored.
    case overloaded(retryAfterSeconds: Int)
    /// The service is ending.
    case stopping
    /// No such user, event, item or model version.
    case notFound(String)
    /// A field of the request cannot be.
    case invalid(field: String, reason: String)
    /// A model cannot be released; the old one goes on.
    case release(version: String, reason: String)
    /// The model or its device failed.
    case model(String)
    /// What was asked for is deleted, but its bytes are in the log's files for as long as somebody reads the log.
    case unpurged

    /// What is said to a request where others have been waiting for so long: as long again, in whole seconds.
    static func overloaded(after wait: Duration) -> ServiceError {
        let (seconds, rest) = wait.components
        return .overloaded(retryAfterSeconds: max(1, Int(clamping: seconds) + (rest > 0 ? 1 : 0)))
    }

    /// One sentence for people.
    public var description: String {
        switch self {
        case .refused(.otherContent(let index, _)): "event \(index): another event of the user has this eventId"
        case .refused(.tooFarAhead(let index, _)):
            "event \(index): its time is more than \(EventLogRules.secondsAhead / 60) minutes ahead of the server's clock"
        case .refused(.notFound): "there is no such user or event"
        case .refused(.outdated): "the state changed meanwhile"
        case .log(let error): error.description
        case .overloaded: "too many requests are waiting"
        case .stopping: "the service is stopping"
        case .notFound(let what): "there is no \(what)"
        case .invalid(let field, let reason): "\(field): \(reason)"
        case .release(let version, let reason): "version \(version) was not released: \(reason)"
        case .model(let reason): reason
        case .unpurged: "it is deleted, but its bytes stay in the files until whoever reads the log has ended"
        }
    }

    /// The same for clients: without paths and what the system said, which are for the log.
    public var publicDescription: String {
        switch self {
        case .log(.full): "the disk of the event log is full"
        case .log: "the event log cannot be used now"
        case .model: "the model failed"
        default: description
        }
    }

    /// The log's, else that of the kind of error.
    public var exitStatus: ExitStatus {
        switch self {
        case .log(let error): error.exitStatus
        case .refused, .invalid: .usage
        case .notFound: .noInput
        case .overloaded, .stopping, .unpurged: .unavailable
        case .release, .model: .badData
        }
    }
}
