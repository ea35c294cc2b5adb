import Evaluation
import FileSupport
import Foundation
import Models

/// What must be equal for a run to be resumed from a checkpoint.
struct RunIdentity: Codable, Equatable {
    var version = programVersion
    var configuration: ModelConfiguration
    var options: TrainingOptions
    var dataset: String
    var split: String
    /// Fingerprint of the model that the run started from; nil where weights started at random.
    var origin: String?
    /// Fingerprints of the models that the run learns from; nil where there are none.
    var teachers: [String]?
    var backend: String
}

extension RunIdentity {
    /// In what this run differs from the one of a checkpoint, so that it cannot go on from there; nil where it can.
    func difference(from other: RunIdentity, after checkpoint: Checkpoint) -> RunDifference? {
        if other.version != version { return .version(other.version) }
        if other.dataset != dataset { return .data(fingerprint: other.dataset) }
        if other.split != split { return .split }
        if other.origin != origin { return .origin(was: other.origin, now: origin) }
        if other.teachers != teachers { return .teachers(was: other.teachers?.count ?? 0, now: teachers?.count ?? 0) }
        // Before the options: they tell how many replicas a device has.
        if other.backend != backend { return .device(was: other.backend, now: backend) }
        var same = other.options
        if checkpoint.couldBe(in: options) {
            (same.lastEpoch, same.patience) = (options.lastEpoch, options.patience)
            if options.schedule == .constant { same.epochs = options.epochs }
        }
        let changes = Self.changes(other.configuration, configuration) + Self.changes(same, options)
        if changes.isEmpty, same == options { return nil }
        let isLonger = other.options.epochs != options.epochs && options.schedule == .cosine
        return .settings(changes, cosineEpochs: isLonger ? other.options.epochs : nil)
    }

    /// Each field that differs.
    static func changes(_ old: some Encodable, _ new: some Encodable) -> [RunDifference.Setting] {
        let (old, new) = (values(old), values(new))
        return Set(old.keys).union(new.keys).sorted().filter { old[$0] != new[$0] }.map { name in
            RunDifference.Setting(name: name, was: old[name]?.text, now: new[name]?.text)
        }
    }

    private static func values(_ value: some Encodable) -> [String: PlainValue] {
        guard let data = try? JSONEncoder().encode(value) else { return [:] }
        return (try? JSONDecoder().decode([String: PlainValue].self, from: data)) ?? [:]
    }

    private enum PlainValue: Decodable, Equatable {
        case truth(Bool)
        case whole(UInt64)
        case number(Double)
        case text(String)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let value = try? container.decode(Bool.self) {
                self = .truth(value)
            } else if let value = try? container.decode(UInt64.self) {
                self = .whole(value)
            } else if let value = try? container.decode(Double.self) {
                self = .number(value)
            } else {
                self = .text(try container.decode(String.self))
            }
        }

        var text: String {
            switch self {
            case .truth(let value): value ? "yes" : "no"
            case .whole(let value): "\(value)"
            case .number(let value): "\(value)"
            case .text(let value): value
            }
        }
    }
}

extension Checkpoint {
    /// Whether a run with the epochs and the patience of `options` passes through this checkpoint, everything else being equal.
    func couldBe(in options: TrainingOptions) -> Bool {
        guard epochs.count < options.end || (epochs.count == options.end && batch == 0) else { return false }
        let done = batch > 0 ? epochs.count : max(0, epochs.count - 1)
        return !(0...done).contains { options.isOutOfPatience(after: Array(epochs.prefix($0))) }
    }
}

extension TrainingOptions {
    /// Number of the last epoch.
    var end: Int { lastEpoch ?? epochs }

    /// Whether training stops early after these epochs: `patience` of them without a better one, nor a better mean of five. One lucky epoch of few
    /// cases would else end a training that still gains.
    func isOutOfPatience(after epochs: [EpochRecord]) -> Bool {
        guard let patience, let best = epochs.last(where: \.isBest), epochs.count - best.epoch >= patience else {
            return false
        }
        let values = epochs.map { $0.validation?.unmasked.at10.ndcg ?? 0 }
        return epochs.count - Self.lengthWithBestMean(values) >= patience
    }

    /// The number of values whose last five (or all, where they are fewer) have the highest mean, the smallest where several do. O(values).
    static func lengthWithBestMean(_ values: [Double]) -> Int {
        var best = (length: 0, mean: -Double.infinity)
        for length in values.indices.map({ $0 + 1 }) {
            let last = values[max(0, length - 5)..<length]
            let mean = last.reduce(0, +) / Double(last.count)
            if mean > best.mean + 1e-12 { best = (length, mean) }  // equal means differ by roundings
        }
        return best.length
    }

    /// Whether a finished run with these options can be continued with more epochs or patience, with the same result as if it had
    /// had them from the start: with a constant learning rate, or where it stopped early.
    public func canBeLengthened(after epochs: [EpochRecord]) -> Bool {
        schedule == .constant || epochs.count < self.epochs
    }

    /// Whether training is finished after these epochs.
    public func isOver(after epochs: [EpochRecord]) -> Bool {
        epochs.count >= end || isOutOfPatience(after: epochs)
    }
}
