import ErrorSupport
import Foundation
import ModelStore
import Models
import Training

extension Recipe {
    /// Uses the number of epochs of a trained model: its schedule, and its best epoch as the last one. Of the schedule the warm-up, too, where `takesWarmup`.
    ///
    /// Prints the other differences from that model's training, for which the epoch was chosen.
    mutating func takeEpochs(from path: String, _ configuration: ModelConfiguration, takesWarmup: Bool) throws {
        let folder = try openModel(path)
        guard let record = try TrainingRecord.read(folder), record.bestEpoch > 0 else {
            throw fail(.badData, "\(path) has no record of its training: give --epochs")
        }
        guard record.epochs.contains(where: { $0.validation != nil }) else {
            throw fail(.badData, "\(path) was trained without validation, which chose no epoch: give --epochs")
        }
        options.epochs = record.options.epochs
        options.lastEpoch = record.bestEpoch
        if takesWarmup { options.warmupSteps = record.options.warmupSteps }
        reasons[.epochs] =
            "\(counted(record.bestEpoch, "epoch")) of a schedule of \(counted(record.options.epochs, "epoch")): what validation chose for \(path)"
        var others = try differences(options, record.options, but: ["epochs", "lastEpoch", "patience", "threads"])
        let taught = record.teachers?.count ?? 0
        if taught != teachers { others.append("teachers \(teachers) (there \(taught))") }
        let shape = try differences(configuration, folder.configuration, but: ["itemCount"])
        guard others.isEmpty, shape.isEmpty else {
            printError(
                "recblr: warning: \(path) was trained with other settings, for which that epoch was chosen: "
                    + (shape + others).joined(separator: ", "))
            return
        }
    }
}

/// The fields in which two values differ, by their names in JSON: "dropout 0.2 (there 0.5)".
func differences<Value: Encodable>(_ one: Value, _ other: Value, but ignored: Set<String> = []) throws -> [String] {
    func values(_ value: Value) throws -> [String: String] {
        let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(value)) as? [String: Any] ?? [:]
        return object.mapValues { "\($0)" }
    }
    let (own, others) = (try values(one), try values(other))
    return Set(own.keys).union(others.keys).subtracting(ignored).sorted().compactMap { key in
        own[key] == others[key] ? nil : "\(key) \(own[key] ?? "none") (there \(others[key] ?? "none"))"
    }
}
