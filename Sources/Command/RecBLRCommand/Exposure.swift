import ErrorSupport
import Interactions
import Training

/// Whether a training has shown a model the targets of an evaluation.
enum Exposure {
    case unseen
    /// It may have: a part of a sentence about the model.
    case unknown(String)
    /// It has, or its split says that it may have: likewise.
    case seen(String)
}

extension EvaluatedModel {
    /// Of each of the model's trainings, the earliest first.
    func exposures(to cases: [EvaluationCase], of kind: SplitKind, _ data: Dataset) throws -> [Exposure] {
        try trainings.enumerated().map { number, training in
            let isLast = number == trainings.count - 1
            return try exposure(
                training, isLast ? "was trained" : "continues a model that was trained", cases, kind, data)
        }
    }

    private func exposure(
        _ training: PastTraining, _ trained: String, _ cases: [EvaluationCase], _ kind: SplitKind, _ data: Dataset
    ) throws -> Exposure {
        guard let split = training.split else {
            return .unknown(
                "\(trained) with a split that is not recorded: whether it has seen these targets is not known")
        }
        let isSameData = training.dataset.map(data.summary.isNamed(by:)) ?? false
        if split == .everything {
            return .seen(
                "\(trained) on everything (--split none) and \(isSameData ? "has" : "may have") seen these targets")
        }
        guard isSameData else {
            guard split.trains(like: kind) else {
                return .seen(
                    "\(trained) with \(split.options) and may have seen these targets, which are those of \(kind.options)"
                )
            }
            return .unknown("\(trained) on other data: whether these targets were among it is not known")
        }
        if split.trains(like: kind) { return .unseen }
        let ends = try split.split(data).trainingEnd
        let seen = cases.count { $0.position < ends[$0.user] }
        guard seen > 0 else { return .unseen }
        return .seen(
            "\(trained) with \(split.options) on \(grouped(seen)) of these \(counted(cases.count, "target"))")
    }

    /// Says where the model has seen the targets, or may have.
    func warn(_ cases: [EvaluationCase], of kind: SplitKind, _ data: Dataset) throws {
        let exposures = try exposures(to: cases, of: kind, data)
        if let seen = exposures.lazy.compactMap(\.seen).first {
            printError("recblr: warning: the model \(seen): the metrics say nothing of events to come")
        } else if let unknown = exposures.lazy.compactMap(\.unknown).first {
            printError("recblr: note: the model \(unknown)")
        }
    }
}

extension Exposure {
    fileprivate var seen: String? { if case .seen(let text) = self { text } else { nil } }
    fileprivate var unknown: String? { if case .unknown(let text) = self { text } else { nil } }
}

/// Throws where one of two models has an advantage that the other has not: where it was, or may have been, trained on the targets.
func checkComparable(
    _ models: [EvaluatedModel], _ kind: SplitKind, _ cases: [EvaluationCase], _ data: Dataset
) throws {
    let exposures = try models.map { (path: $0.path, all: try $0.exposures(to: cases, of: kind, data)) }
    for (model, own) in zip(models, exposures) where model.trainings.contains(where: { $0.split == .everything }) {
        guard let seen = own.all.lazy.compactMap(\.seen).first else { continue }
        throw fail(.badData, "\(model.path) \(seen): compare models that were trained with the same split")
    }
    if let a = models[0].trainedOn, let b = models[1].trainedOn, !a.trains(like: b) {
        throw fail(
            .badData,
            "\(models[0].path) was trained with \(a.options), \(models[1].path) with \(b.options): their held-out cases differ, and "
                + "one may have seen what the other is asked")
    }
    for model in exposures {
        if let seen = model.all.lazy.compactMap(\.seen).first { throw fail(.badData, "\(model.path) \(seen)") }
        if model.all.isEmpty {
            printError(
                "recblr: note: \(model.path) does not say how it was trained: whether it has seen these targets is not known"
            )
        } else if let unknown = model.all.lazy.compactMap(\.unknown).first {
            printError("recblr: note: \(model.path) \(unknown)")
        }
    }
}
