import Evaluation
import Interactions
import Layers
import Models
import Tensors

/// Whether a model's weights are finite, and its scores after histories of up to 64 users, evenly spaced, are not NaN.
func isSound(_ model: SequenceModel, _ dataset: Dataset, _ split: Split, threads: Int) throws(TrainingError) -> Bool {
    guard model.backend.download(model.weights.flat).allSatisfy(\.isFinite) else { return false }
    let users = split.trainingEnd.indices.filter { split.trainingEnd[$0] >= 2 }
    let step = max(1, users.count / 64)
    let cases = stride(from: 0, to: users.count, by: step).map { index in
        EvaluationCase(user: users[index], position: split.trainingEnd[users[index]] - 1)
    }
    do { _ = try ModelRanker(model, threads: threads).rank(cases, in: dataset) } catch .notANumber {
        return false
    } catch {
        throw .evaluation(error)
    }
    return true
}
