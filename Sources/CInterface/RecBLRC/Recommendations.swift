// The functions have the names of recblr.h.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import ArrowData
public import CArrow
public import CRecBLR
import Dispatch
import ErrorSupport
import Foundation
import Identifiers
import Interactions
import Models
import RecBLRCommand
import Serving
import Synchronization

/// What is asked for every user.
private struct RecommendSettings: Settings {
    var k: Int?
    var excludeSeen: Bool?
    var exclude, only: [String]?
    var threads: Int?
    var at: Int64?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case k, exclude, only, threads, at
        case excludeSeen = "exclude_seen"
    }
    typealias Key = CodingKeys

    /// Throws where a number cannot be or an item is not the model's.
    func choice(_ items: Vocabulary) throws(CallError) -> Recommender.Choice {
        func found(_ ids: [String], _ name: String) throws(CallError) -> [ItemID] {
            try ids.map { id throws(CallError) in
                guard let row = items.position(of: id) else {
                    throw CallError(.badData, "\(name): the model does not know the item '\(id)'")
                }
                return ItemID(row: row)
            }
        }
        for (name, number) in [("k", k), ("threads", threads)] {
            if let number, number < 1 { throw CallError(.usage, "\(name) is \(number), but must be at least 1") }
        }
        var choice = Recommender.Choice()
        choice.excludesSeen = excludeSeen ?? true
        choice.excluded = try found(exclude ?? [], "exclude")
        if let only { choice.only = try found(only, "only") }
        return choice
    }
}

/// Recommendations for users of a dataset, computed batch by batch while they are read.
private final class RecommendationTable {
    private let model: Model
    private let users: DatasetUsers
    private let choice: Recommender.Choice
    private let k: Int
    private let question: Int64?
    private let threads: Int
    /// Ids that were asked for; nil for all users.
    private let asked: [String]?
    private var position = 0

    init(_ model: Model, _ dataset: Dataset, _ asked: [String]?, _ settings: RecommendSettings) throws {
        (self.model, self.asked, question) = (model, asked, settings.at)
        let (items, usesTime) = (model.catalogue.items, model.catalogue.model.configuration.usesTime)
        guard usesTime || question == nil else {
            throw CallError(.usage, "at is for models that were trained with time; this one knows no time")
        }
        users = try DatasetUsers(dataset, items, isWithTime: usesTime)
        choice = try settings.choice(items)
        k = min(settings.k ?? 10, items.count)
        threads = settings.threads ?? ProcessInfo.processInfo.activeProcessorCount
        try requireThreads(threads, on: model.catalogue.model.backend)
    }

    private var count: Int { asked?.count ?? users.count }

    func export(to place: UnsafeMutablePointer<ArrowArrayStream>) {
        TableStream.export(
            [("user", .text), ("item", .text), ("rank", .int32), ("score", .float32)], to: place
        ) { try self.next() }
    }

    private func next() throws -> TableBatch? {
        guard position < count else { return nil }
        try requireOwnThreads()
        let batch = position..<min(count, position + Self.batchSize(k))
        position = batch.upperBound
        var (ids, items, ranks, scores): ([String], [String], [Int32], [Float]) = ([], [], [], [])
        for (request, answer) in try answers(to: batch) {
            guard case .user(let user) = request.subject else { continue }
            for (rank, best) in answer.recommendations.enumerated() {
                ids.append(user)
                items.append(best.id)
                ranks.append(Int32(rank + 1))
                scores.append(answer.basis == .history ? best.score : .nan)
            }
        }
        return TableBatch([.text(ids), .text(items), .int32(ranks), .float32(scores)])
    }

    /// Users whose answers are some ten thousand rows.
    private static func batchSize(_ k: Int) -> Int { max(1, min(2048, (1 << 16) / max(1, k))) }

    /// On several threads. How many users are answered together does not depend on their number, and so neither does a bit of a score.
    private func answers(to batch: Range<Int>) throws -> [(Request, Recommender.Answer)] {
        let parts = stride(from: batch.lowerBound, to: batch.upperBound, by: Self.together).map {
            $0..<min(batch.upperBound, $0 + Self.together)
        }
        let results = Mutex([Result<[(Request, Recommender.Answer)], any Error>?](repeating: nil, count: parts.count))
        let job = UncheckedJob { part in
            let own = Result { try self.answers(toPart: parts[part]) }
            results.withLock { $0[part] = own }
        }
        let workers = min(threads, parts.count)
        DispatchQueue.concurrentPerform(iterations: workers) { worker in
            for part in stride(from: worker, to: parts.count, by: workers) { job.run(part) }
        }
        return try results.withLock { try $0.flatMap { try $0!.get() } }
    }

    /// Users that are answered together.
    private static let together = 64

    private func answers(toPart part: Range<Int>) throws -> [(Request, Recommender.Answer)] {
        let requests = part.map { user in asked.map { users.request($0[user]) } ?? users.request(user) }
        if let late = question.flatMap(requests.firstWithEvent), case .user(let id) = late.subject {
            throw CallError(.usage, "at lies before the last event of the user '\(id)'")
        }
        let answers = try model.withRecommender {
            try $0.answer(requests.map(\.items), times: requests.map(\.times), askedAt: question, k: k, choice)
        }
        return Array(zip(requests, answers))
    }
}

/// Work on parts of something that the caller waits for and does not change meanwhile.
private struct UncheckedJob: @unchecked Sendable {
    let run: (Int) -> Void
}

@c @implementation
public func recblr_model_recommend(
    _ model: OpaquePointer?, _ dataset: OpaquePointer?, _ users: UnsafeMutablePointer<ArrowArrayStream>?,
    _ settings: recblr_text, _ recommendations: UnsafeMutablePointer<ArrowArrayStream>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    call(error) {
        let asked = try users.map { try ids(in: try ArrowStream(moving: $0)) }
        let (model, dataset) = (try object(model, Model.self), try object(dataset, OpenDataset.self))
        let place = try place(recommendations, "recommendations")
        let table = try RecommendationTable(model, dataset.data, asked, try settings.settings("settings"))
        table.export(to: place)
    }
}

@c @implementation
public func recblr_model_vectors(
    _ model: OpaquePointer?, _ vectors: UnsafeMutablePointer<ArrowArrayStream>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    call(error) {
        let (model, place) = (try object(model, Model.self), try place(vectors, "vectors"))
        let (items, width) = (model.catalogue.items, model.catalogue.model.configuration.hiddenSize)
        var row = 0
        TableStream.export([("item", .text), ("vector", .vector(width: width))], to: place) {
            guard row < items.count else { return nil }
            let rows = row..<min(items.count, row + (1 << 12))
            row = rows.upperBound
            let values = model.vectors(rows)
            return TableBatch([.text(rows.map { items.ids[$0] }), .vectors(width: width, values)])
        }
    }
}
