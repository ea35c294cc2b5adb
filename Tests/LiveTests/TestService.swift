import CPUBackend
import Events
import Foundation
import Identifiers
import ModelStore
import Models
import Serving
import Tensors

@testable import Live

/// Small models in a folder that goes away with it.
final class TestModels: Sendable {
    let url: URL
    static let itemCount = 60

    /// Versions by name, each with weights of its own. `repeatAware` models know how often items occurred.
    init(_ versions: [String], repeatAware: Bool = true) throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("recblr-live-\(UUID().uuidString)")
        for (number, version) in versions.enumerated() {
            try write(version, seed: UInt64(number + 1), repeatAware: repeatAware)
            Thread.sleep(forTimeInterval: 0.01)  // so that their times differ
        }
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// Writes a version that knows items "i0" … and, from seed 2 on, ten more.
    func write(_ version: String, seed: UInt64, repeatAware: Bool = true) throws {
        let count = Self.itemCount + (seed > 1 ? 10 : 0)
        var shape = ModelConfiguration(itemCount: count)
        (shape.hiddenSize, shape.repeatAware) = (16, repeatAware)
        let backend = CPUBackend()
        let model = try SequenceModel(initializing: shape, seed: seed, on: backend)
        // Larger weights than a fresh model's, so that histories matter.
        var generator = SeededGenerator(seed: seed &+ 100)
        let table = model.itemTable
        backend.upload((0..<table.count).map { _ in Float(generator.normal()) }, to: table)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        try ModelFolder.write(
            model, items: Self.vocabulary(count), popularity: (0..<count).map { 1000 - $0 },
            to: url.appendingPathComponent(version))
    }

    static func vocabulary(_ count: Int) -> Vocabulary {
        Vocabulary(ids: (0..<count).map { "i\($0)" }, titles: (0..<count).map { "Title \($0)" })!
    }
}

/// What the service must answer, computed plainly: the whole history through the model, as `recblr recommend` does it.
struct Oracle: Sendable {
    let release: Release

    init(_ models: TestModels, _ version: String, eventTypes: Set<RawID>? = nil) throws {
        var options = LiveOptions()
        options.eventTypes = eventTypes
        release = try Release(folder: models.url.appendingPathComponent(version), version: version, options: options)
    }

    /// The best items after these events, which are in order.
    func best(after events: [NewEvent], _ query: RecommendationQuery = RecommendationQuery()) throws -> [Best] {
        let history = events.compactMap(release.item(of:))
        var choice = Recommender.Choice()
        choice.excludesSeen = query.excludeSeen == .always
        let answer = try Recommender(release.catalogue, tokens: 64).answer([history], k: query.count, choice)[0]
        return answer.recommendations.map { Best(item: RawID($0.id), score: $0.score) }
    }
}

/// An item and its score.
struct Best: Equatable, CustomStringConvertible {
    var item: RawID
    var score: Float
    var description: String { "\(item) \(score)" }

    /// Equal but for the last digits, which depend on the number of users that are ranked at once.
    static func areClose(_ a: [Best], _ b: [Best]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { $0.item == $1.item && abs($0.score - $1.score) < 1e-4 }
    }
}

extension Recommendations {
    var best: [Best] { items.map { Best(item: $0.item, score: $0.score) } }
}

extension LiveOptions {
    static func test(memory: Int = 1 << 24, wait: Int = 3_600_000, types: Set<RawID>? = nil) -> LiveOptions {
        var options = LiveOptions()
        (options.stateMemory, options.maximumWait, options.eventTypes) = (memory, wait, types)
        return options
    }
}

/// A moment some seconds after a fixed one in 2020.
func second(_ seconds: Int) -> Timestamp { Timestamp(microseconds: (1_600_000_000 + Int64(seconds)) * 1_000_000) }
