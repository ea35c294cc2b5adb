import FileSupport

/// One case of an evaluation: the history is the user's events before `position`, the target the item at `position`.
public struct EvaluationCase: Sendable, Equatable {
    /// Index of the user.
    public let user: Int
    /// Number of events in the history; the target is the event after them.
    public let position: Int

    /// A question about the event of `user` at `position`, which has to be above 0 in a ``Split``.
    public init(user: Int, position: Int) {
        self.user = user
        self.position = position
    }
}

/// A split of a dataset into training, validation and test.
public struct Split: Sendable, Equatable {
    /// For each user the number of training events, which are the first of the sequence.
    public let trainingEnd: [Int]
    /// Cases that decide which epoch is the best.
    public let validation: [EvaluationCase]
    /// Cases of the final evaluation. Their histories include validation events.
    public let test: [EvaluationCase]
    /// Whether the cases are a stream, to be looked at in order of time.
    public let isStream: Bool

    /// A custom split: one end for each user; histories must not be empty.
    public init(
        trainingEnd: [Int], validation: [EvaluationCase], test: [EvaluationCase], isStream: Bool = false
    ) {
        precondition((validation + test).allSatisfy { $0.position > 0 }, "a case needs a history")
        self.trainingEnd = trainingEnd
        self.validation = validation
        self.test = test
        self.isStream = isStream
    }

    /// A 64-bit hash of the split, in hexadecimal.
    public var fingerprint: String {
        let cases = [validation, test].map { $0.flatMap { [Int64($0.user), Int64($0.position)] } }
        return Array((trainingEnd.map(Int64.init) + [-1] + cases[0] + [-1] + cases[1])).withUnsafeBufferPointer {
            Interactions.fingerprint(UnsafeBufferPointer(start: nil, count: 0), $0)
        }
    }

    /// Leave-one-out: the last event of each user is for the test, the one before it for validation, the rest for training. Users with
    /// fewer than three events are used for training only (docs/design.md, "Evaluation protocol").
    public static func leaveOneOut(_ dataset: Dataset) -> Split {
        let users = (0..<dataset.userCount).filter { dataset.length(ofUser: $0) >= 3 }
        return Split(
            trainingEnd: (0..<dataset.userCount).map { user in
                let length = dataset.length(ofUser: user)
                return length >= 3 ? length - 2 : length
            },
            validation: users.map { EvaluationCase(user: $0, position: dataset.length(ofUser: $0) - 2) },
            test: users.map { EvaluationCase(user: $0, position: dataset.length(ofUser: $0) - 1) })
    }

    /// Events before the validation window are for training; a user's first event within a window is the one case of that user there,
    /// if it has a history.
    ///
    /// The windows hold the last `testFraction` of all events by time, and the `validationFraction` before them. Events at
    /// exactly the time of a boundary are after it.
    public static func globalTime(
        _ dataset: Dataset, validationFraction: Double, testFraction: Double
    ) throws(DatasetError) -> Split {
        try byTime(
            "a split by time", dataset, validationFraction, testFraction,
            noCases: "no user has events on both sides of the cuts"
        ) { $0.prefix(1) }
    }

    /// What a live service would have been asked: training ends at one cut in time, and every later event with a history is a case, also of
    /// users who began after the cut. States run on: a history holds everything before its event.
    ///
    /// The windows are those of ``globalTime(_:validationFraction:testFraction:)``. A user's very first event has no history, and is no case.
    public static func stream(
        _ dataset: Dataset, validationFraction: Double, testFraction: Double
    ) throws(DatasetError) -> Split {
        try byTime(
            "a stream", dataset, validationFraction, testFraction, isStream: true,
            noCases: "no event after the cuts has a history"
        ) { $0 }
    }

    /// Training events are those before the validation window. `asked` says which of a user's positions in a window are cases; those without a history
    /// are none.
    private static func byTime(
        _ name: String, _ dataset: Dataset, _ validationFraction: Double, _ testFraction: Double,
        isStream: Bool = false,
        noCases: String, asked: (Range<Int>) -> Range<Int>
    ) throws(DatasetError) -> Split {
        guard let times = dataset.times else {
            throw .unusable("\(name) needs timestamps, which this dataset has not")
        }
        let (first, second) = try cuts(Array(times), validationFraction, testFraction, of: "events")
        var trainingEnd: [Int] = []
        var (validation, test): ([EvaluationCase], [EvaluationCase]) = ([], [])
        for user in 0..<dataset.userCount {
            let own = dataset.timestamps(ofUser: user) ?? []
            let validationStart = own.firstIndex { $0 >= first } ?? own.count
            let testStart = own.firstIndex { $0 >= second } ?? own.count
            func cases(_ window: Range<Int>) -> [EvaluationCase] {
                asked(window).filter { $0 > 0 }.map { EvaluationCase(user: user, position: $0) }
            }
            trainingEnd.append(validationStart)
            validation += cases(validationStart..<testStart)
            test += cases(testStart..<own.count)
        }
        guard !validation.isEmpty, !test.isEmpty else { throw .unusable("\(noCases): choose other fractions") }
        return Split(trainingEnd: trainingEnd, validation: validation, test: test, isStream: isStream)
    }

    /// Users are sessions, each as a whole for training, validation or test. Every event of a held-out session except its first is a case.
    ///
    /// The test holds the last `testFraction` of sessions by the time of their last event, validation the `validationFraction`
    /// before them; sessions that end at exactly the time of a boundary are after it. The end of a session decides, so that
    /// no training event is later than a boundary (as in Hidasi et al. 2016). Sessions of one event have no case.
    public static func session(
        _ dataset: Dataset, validationFraction: Double, testFraction: Double
    ) throws(DatasetError) -> Split {
        guard dataset.hasTimestamps else {
            throw .unusable("a split by session needs timestamps, which this dataset has not")
        }
        let ends = (0..<dataset.userCount).map { dataset.timestamps(ofUser: $0)?.last }
        let asked = (0..<dataset.userCount).filter { dataset.length(ofUser: $0) >= 2 }
        let (first, second) = try cuts(asked.map { ends[$0]! }, validationFraction, testFraction, of: "sessions")
        func cases(_ isIncluded: (Int64) -> Bool) -> [EvaluationCase] {
            asked.filter { isIncluded(ends[$0]!) }.flatMap { user in
                (1..<dataset.length(ofUser: user)).map { EvaluationCase(user: user, position: $0) }
            }
        }
        let split = Split(
            trainingEnd: ends.indices.map { user in
                ends[user].map { $0 < first } == true ? dataset.length(ofUser: user) : 0
            },
            validation: cases { $0 >= first && $0 < second }, test: cases { $0 >= second })
        for (part, isEmpty) in [
            ("training", !split.trainingEnd.contains { $0 >= 2 }), ("validation", split.validation.isEmpty),
        ] where isEmpty {
            throw .unusable(
                "no session is left for \(part): those of two events or more are \(asked.count), with "
                    + "\(counted(Set(asked.map { ends[$0]! }).count, "distinct end")); choose other fractions")
        }
        return split
    }

    /// All events are for training, none are held out: for a final model whose hyperparameters are known from another split.
    public static func everything(_ dataset: Dataset) -> Split {
        Split(trainingEnd: (0..<dataset.userCount).map(dataset.length(ofUser:)), validation: [], test: [])
    }

    /// The times at which validation and test begin, so that they hold the last fractions of `times`.
    private static func cuts(
        _ times: [Int64], _ validationFraction: Double, _ testFraction: Double, of what: String
    ) throws(DatasetError) -> (Int64, Int64) {
        guard validationFraction > 0, testFraction > 0, validationFraction + testFraction < 1 else {
            throw .unusable("the fractions of a split by time must be positive and leave something to train")
        }
        guard !times.isEmpty else { throw .unusable("there are no \(what) to split by time") }
        let sorted = times.sorted()
        guard sorted.first != sorted.last else {
            throw .unusable(
                "a split by time needs \(what) of different times: "
                    + (times.count == 1 ? "there is one" : "all have the same"))
        }
        func cut(_ fraction: Double) -> Int64 { sorted[min(sorted.count - 1, Int(Double(sorted.count) * fraction))] }
        return (cut(1 - validationFraction - testFraction), cut(1 - testFraction))
    }
}

/// A kind of split with its parameters, as in options and records.
public enum SplitKind: Sendable, Codable, Equatable {
    /// ``Split/leaveOneOut(_:)``.
    case leaveOneOut
    /// ``Split/globalTime(_:validationFraction:testFraction:)``.
    case globalTime(validationFraction: Double, testFraction: Double)
    /// ``Split/stream(_:validationFraction:testFraction:)``.
    case stream(validationFraction: Double, testFraction: Double)
    /// ``Split/session(_:validationFraction:testFraction:)``.
    case session(validationFraction: Double, testFraction: Double)
    /// ``Split/everything(_:)``.
    case everything

    /// Splits a dataset.
    public func split(_ dataset: Dataset) throws(DatasetError) -> Split {
        switch self {
        case .leaveOneOut: .leaveOneOut(dataset)
        case .globalTime(let validation, let test):
            try .globalTime(dataset, validationFraction: validation, testFraction: test)
        case .stream(let validation, let test):
            try .stream(dataset, validationFraction: validation, testFraction: test)
        case .session(let validation, let test):
            try .session(dataset, validationFraction: validation, testFraction: test)
        case .everything: .everything(dataset)
        }
    }

    /// Whether the same events of a dataset are for training.
    public func trains(like other: SplitKind) -> Bool {
        switch (self, other) {
        case (.globalTime(let a, let b), .stream(let c, let d)), (.stream(let a, let b), .globalTime(let c, let d)):
            a == c && b == d
        default: self == other
        }
    }
}
