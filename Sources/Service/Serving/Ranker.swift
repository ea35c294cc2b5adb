package import Identifiers
import Models
package import Tensors

/// Finds the best items for hidden vectors, many at a time. It owns memory, so each thread needs its own.
package final class Ranker {
    /// One user's question.
    package struct Request: Sendable {
        /// The vector after the user's last event, D floats.
        package var hidden: [Float]
        /// The user's latest events, for a repeat-aware head; empty where it does not matter.
        package var recent: [ItemID]
        /// Which items may be answered.
        package var candidates: Candidates
        /// How many.
        package var count: Int

        package init(hidden: [Float], recent: [ItemID], candidates: Candidates, count: Int) {
            (self.hidden, self.recent, self.candidates, self.count) = (hidden, recent, candidates, count)
        }
    }

    private let catalogue: Catalogue
    private let rows: Tensor
    /// The largest number of requests of one call.
    package let capacity: Int

    /// A ranker for up to `capacity` users at once.
    package init(_ catalogue: Catalogue, capacity: Int) {
        (self.catalogue, self.capacity) = (catalogue, capacity)
        let model = catalogue.model
        rows = model.backend.tensor(capacity, model.configuration.hiddenSize)
    }

    /// The best items for each request, best first, or why there are none. O(requests · V · D).
    package func best(_ requests: [Request]) -> [Result<[ScoredRow], RecommendError>] {
        do { return try lists(requests).map { $0.map { .success($0) } ?? .failure(.notFinite) } } catch {
            return requests.map { _ in .failure(error) }
        }
    }

    private func lists(_ requests: [Request]) throws(RecommendError) -> [[ScoredRow]?] {
        precondition(requests.count <= capacity, "more requests than the ranker was made for")
        guard requests.contains(where: { $0.count > 0 }) else { return requests.map { _ in [] } }
        let (model, hidden) = (catalogue.model, rows.prefix(requests.count))
        model.backend.upload(requests.flatMap(\.hidden), to: hidden)
        let repeats: SparseBias?
        do { repeats = try model.headBias(after: requests.map(\.recent)) } catch { throw .history(error) }
        return try catalogue.best(hidden, repeats, requests.map { RowChoice($0.count, of: $0.candidates) })
    }
}

extension Catalogue {
    /// The best rows of the item table for each row of `hidden`; nil where its scores are not finite.
    func best(
        _ hidden: Tensor, _ repeats: SparseBias?, _ choices: [RowChoice]
    ) throws(RecommendError) -> [[ScoredRow]?] {
        let isFinite = scoreBound.holds(for: hidden)
        let lists = ranked.best(hidden, bias: repeats, choices: choices)
        if let failure = model.backend.failure { throw .device(failure) }
        return lists.enumerated().map { n, list in
            let isSound = isFinite || scoreBound.holds(for: hidden.rows(n..<n + 1))
            return isSound && list.allSatisfy(\.score.isFinite) ? list : nil
        }
    }
}
