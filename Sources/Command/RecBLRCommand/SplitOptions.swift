import ArgumentParser
import ErrorSupport
import Evaluation
import Interactions
import Training

/// How events are divided into training, validation and test.
struct SplitOptions: ParsableArguments {
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case leaveOneOut = "leave-one-out"
        case globalTime = "global-time"
        case stream
        case session
        case none

        /// Whether fractions say where it cuts.
        var hasFractions: Bool { self == .globalTime || self == .stream || self == .session }
    }

    @Option(
        help: """
            How to split: leave-one-out (a user's last event is the test, the one before it validation), global-time (the \
            last events of all by time are the test, those before them validation; a user's first event there is the target), \
            stream (the same cuts, but every event after them is predicted before the user's state learns it, as a live service would), \
            session (users are sessions, the last to end are the test, those before them validation; all events except \
            the first of each are targets) or none (all events are for training, for a final model). \
            (default: as the model was trained, otherwise leave-one-out)
            """)
    var split: Kind?
    @Option(
        help:
            "Fraction of events or sessions held out for validation by global-time, stream and session. (default: 0.1)")
    var validationFraction: Double?
    @Option(
        help: "Fraction of events or sessions held out for the test by global-time, stream and session. (default: 0.1)")
    var testFraction: Double?

    func validate() throws {
        for (name, fraction) in [("validation", validationFraction), ("test", testFraction)] {
            guard let fraction else { continue }
            if let split, !split.hasFractions { throw ValidationError(Self.needsFractions(name)) }
            guard fraction > 0, fraction < 1 else { throw ValidationError("--\(name)-fraction must lie in (0, 1).") }
        }
        guard (validationFraction ?? 0.1) + (testFraction ?? 0.1) < 1 else {
            throw ValidationError("--validation-fraction and --test-fraction must leave something to train.")
        }
    }

    private static func needsFractions(_ name: String) -> String {
        "--\(name)-fraction goes with --split global-time, stream or session."
    }

    /// Throws where fractions are given without a split that has them, for a command without a model that would say the split.
    func validateWithoutModel() throws {
        if split != nil { return }
        if validationFraction != nil { throw ValidationError(Self.needsFractions("validation")) }
        if testFraction != nil { throw ValidationError(Self.needsFractions("test")) }
    }

    /// The chosen split, else that of `trained`, else leave-one-out. Fractions that are not given are those of `trained`, if it is of the same kind. Throws
    /// where fractions are given and that split has none.
    func kind(like trained: SplitKind? = nil) throws -> SplitKind {
        let split = split ?? trained?.option ?? .leaveOneOut
        if !split.hasFractions, validationFraction ?? testFraction != nil {
            throw fail(.usage, Self.needsFractions(testFraction == nil ? "validation" : "test"))
        }
        let like = trained.flatMap { $0.isCut(like: split) ? $0.fractions : nil }
        let (validation, test) = (validationFraction ?? like?.validation ?? 0.1, testFraction ?? like?.test ?? 0.1)
        return switch split {
        case .leaveOneOut: .leaveOneOut
        case .globalTime: .globalTime(validationFraction: validation, testFraction: test)
        case .stream: .stream(validationFraction: validation, testFraction: test)
        case .session: .session(validationFraction: validation, testFraction: test)
        case .none: .everything
        }
    }
}

extension SplitKind {
    fileprivate var fractions: (validation: Double, test: Double)? {
        switch self {
        case .globalTime(let validation, let test), .stream(let validation, let test),
            .session(let validation, let test):
            (validation, test)
        case .leaveOneOut, .everything: nil
        }
    }

    /// What asks for a split of this kind.
    fileprivate var option: SplitOptions.Kind {
        switch self {
        case .leaveOneOut: .leaveOneOut
        case .globalTime: .globalTime
        case .stream: .stream
        case .session: .session
        case .everything: .none
        }
    }

    /// Whether fractions mean the same in a split that is asked for.
    fileprivate func isCut(like kind: SplitOptions.Kind) -> Bool {
        switch self {
        case .globalTime, .stream: kind == .globalTime || kind == .stream
        case .session: kind == .session
        case .leaveOneOut, .everything: false
        }
    }

    /// The options that ask for this split.
    var options: String {
        let fractions = fractions.map { " (fractions \($0.validation) and \($0.test))" } ?? ""
        return switch self {
        case .leaveOneOut: "--split leave-one-out"
        case .globalTime: "--split global-time" + fractions
        case .stream: "--split stream" + fractions
        case .session: "--split session" + fractions
        case .everything: "--split none"
        }
    }
}

/// Advice about a split before training; nil where there is none.
func adviceOnSplit(_ kind: SplitKind, _ split: Split, _ data: Dataset) -> String? {
    let transitions = (0..<data.userCount).reduce(0) { $0 + max(0, data.length(ofUser: $1) - 1) }
    let trained = split.trainingEnd.reduce(0) { $0 + max(0, $1 - 1) }
    let fraction = "\(grouped(trained)) of \(grouped(transitions)) transitions are for training"
    switch kind {
    case .leaveOneOut where 2 * trained < transitions && data.hasTimestamps:
        return
            "histories are short: with leave-one-out only \(fraction); if users are sessions, --split session trains on most"
    case .globalTime where split.test.count * 20 < data.userCount:
        return
            "only \(grouped(split.test.count)) of \(counted(data.userCount, "user")) have events on both sides of the last cut; "
            + "if users are sessions, use --split session"
    case .session where data.eventCount > 50 * data.userCount:
        return
            "users have \(counted(data.eventCount / data.userCount, "event")) on average, many for a session: with --split session all "
            + "but the first are cases, and measuring takes long"
    case .everything: return "all events are for training: there is no validation and no test, the last epoch is kept"
    default: return split.validation.isEmpty ? "there is no validation: the last epoch is kept" : nil
    }
}

/// A warning, with the standard error, where metrics are of fewer than 500 cases; nil otherwise.
func warningOfFewCases(_ metrics: RankMetrics, _ what: String) -> String? {
    let count = Double(metrics.cases)
    guard metrics.cases < 500, metrics.cases > 0 else { return nil }
    // With hits in all or none of the cases the error is not 0: one hit and one miss are added (Laplace's rule).
    let rate = min(max(metrics.at10.hr, 1 / (count + 2)), (count + 1) / (count + 2))
    let error = (rate * (1 - rate) / count).squareRoot()
    return
        "recblr: warning: only \(counted(metrics.cases, "\(what) case")): HR@10 \(fixed(metrics.at10.hr, 4)) has a "
        + "standard error of \(fixed(error, 4))"
}
