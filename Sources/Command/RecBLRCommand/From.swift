import Interactions
import Training

/// Prints a warning where the model that a training continues may have learnt from events that this split holds out.
func warn(of start: StartingModel, _ path: String, _ kind: SplitKind) {
    let others = start.trainings.indices.filter { start.trainings[$0].split?.trains(like: kind) == false }
    if kind != .everything, let last = others.last {
        let trained = last == start.trainings.count - 1 ? "was trained" : "continues a model that was trained"
        printError(
            "recblr: warning: \(path) \(trained) with another split and may have seen events that are held out here: validation "
                + "and test may flatter")
    }
}

/// What was taken over from a model, for people.
func describe(_ origin: TrainingOrigin, _ model: String) -> String {
    "\(model): \(counted(origin.matchedItems, "item")) of it in the data, \(grouped(origin.newItems)) new, \(grouped(origin.goneItems)) gone"
}
