import CPUBackend
import Dispatch
import FileSupport
import Foundation

/// Puts `recblr serve` under load in the settings of the figures it should reach. Server and load share this machine.
struct ServiceBench {
    /// What can be measured by itself.
    enum Scenario: String, CaseIterable, Sendable {
        case latency, saturation, overload, release, items, users
    }

    let program: URL
    /// Models and stores lie here, on the disk whose `fsync` counts.
    let folder: URL
    /// Length of each load.
    let loadSeconds: Double
    /// Of the scenario `users`.
    let users: Int
    var figures = ServiceFigures(machine: Machine())

    static let items = 3416
    static let manyItems = 1_000_000

    mutating func run(_ scenario: Scenario) throws {
        switch scenario {
        case .latency: try latency()
        case .saturation: try saturation()
        case .overload: try overload()
        case .release: try release()
        case .items: try manyItems()
        case .users: try liveUsers()
        }
    }

    // MARK: Scenarios

    /// 1,000 durable requests a second.
    private mutating func latency() throws {
        let server = try start("latency", durability: "full")
        let load = load(.appendAndRecommend, .open(perSecond: 1000), connections: 64)
        let found = try measure("1,000 a second", load, server, durability: "full")
        // Until the middle nearly every user has come, whose states are the growth that must be.
        let (middle, last) = (found.windows[4].megabytes, found.windows.last!.megabytes)
        figures.goals += [
            .atMost(2 * found.fsync.p50 + 2, "ms", "p50 at 1,000/s, 2 × fsync + 2 ms", found.latency.p50),
            .atMost(2 * found.fsync.p99 + 10, "ms", "p99 at 1,000/s, 2 × fsync + 10 ms", found.latency.p99),
            .atMost(0, "requests", "failures at 1,000/s", Double(found.failures + found.unsent)),
            .atMost(1.05 * middle + 16, "MB", "resident memory at the end, in the middle + 5 % + 16 MB", last),
        ]
    }

    /// 64 connections that never pause.
    private mutating func saturation() throws {
        for (durability, goal) in [("full", 5000.0), ("relaxed", 8000)] {
            let server = try start("saturation-" + durability, durability: durability)
            let load = load(.appendAndRecommend, .closed, connections: 64)
            let found = try measure("saturation", load, server, durability: durability)
            figures.goals += [
                .atLeast(goal, "/s", "saturation, durability \(durability)", found.perSecond),
                .atMost(0, "requests", "failures at saturation, \(durability)", Double(found.failures)),
            ]
        }
    }

    /// Twice as much as the server can do.
    private mutating func overload() throws {
        let server = try start("overload", durability: "full")
        let full = try measure(
            "saturation before overload", load(.appendAndRecommend, .closed, connections: 64), server,
            durability: "full")
        let found = try measure(
            "twice saturation", load(.appendAndRecommend, .open(perSecond: 2 * full.perSecond), connections: 2048),
            server, durability: "full")
        figures.goals.append(
            .atLeast(0.8 * full.perSecond, "/s", "successes at 2 × saturation, 80 % of it", found.perSecond))
    }

    /// Another version is released in the middle.
    private mutating func release() throws {
        let server = try start("release", durability: "full", versions: 2)
        let load = load(.appendAndRecommend, .open(perSecond: 1000), connections: 64)
        let middle = DispatchTime.now() + 0.55 * loadSeconds + load.warmUpSeconds
        nonisolated(unsafe) var released: Result<[UInt8], any Error>?
        let work = DispatchWorkItem {
            released = Result { try server.ask("POST", "/v1/models/v2:activate") }
        }
        DispatchQueue.global().asyncAfter(deadline: middle, execute: work)
        let found = try measure("release in the middle", load, server, durability: "full")
        work.wait()
        _ = try released!.get()
        let before = found.windows[..<5].map(\.p99).max()!
        let during = found.windows[5...].map(\.p99).max()!
        figures.goals += [
            .atMost(0, "requests", "failures with a release", Double(found.failures)),
            .atMost(2 * before, "ms", "p99 with a release, worst tenth, 2 × worst before", during),
        ]
    }

    /// The ten best of a million items.
    private mutating func manyItems() throws {
        let server = try start("items", durability: "memory", items: Self.manyItems)
        let users = 1000
        try fill(server, users: 0..<users, events: 0..<20, items: Self.manyItems)
        func load(_ arrivals: Arrivals) -> Load {
            Load(
                kind: .recommend, arrivals: arrivals, connections: 256, users: users, items: ["1"], seconds: loadSeconds
            )
        }
        let found = try measure(
            "a million items, 1,000 a second", load(.open(perSecond: 1000)), server, durability: "memory",
            items: Self.manyItems)
        let full = try measure(
            "a million items, saturation", load(.closed), server, durability: "memory", items: Self.manyItems)
        let limits = Limits(CPUBackend())
        let threads = figures.machine.cores
        let sgemm = limits.productPeak * limits.productScaling(threads: threads)
        let product = full.perSecond * 2 * Double(Self.manyItems) * 64
        figures.goals += [
            .atMost(50, "ms", "p90 at 1,000/s, a million items", found.latency.p90),
            .atMost(0, "requests", "failures at 1,000/s, a million items", Double(found.failures + found.unsent)),
            .atLeast(
                0.55 * sgemm / 1e9, "GFLOP/s", "a million items, as float32 products, 55 % of sgemm", product / 1e9),
        ]
    }

    // MARK: Parts

    private func load(_ kind: LoadKind, _ arrivals: Arrivals, connections: Int) -> Load {
        Load(
            kind: kind, arrivals: arrivals, connections: connections, users: 100_000,
            items: itemIdentifiers(Self.items),
            seconds: loadSeconds)
    }

    /// Measures a load, with the disk before and after it.
    private mutating func measure(
        _ name: String, _ load: Load, _ server: ServerProcess, durability: String, items: Int = items
    ) throws -> LoadFigures {
        var probe = DiskProbe(in: folder)
        try probe.measure()
        var generator = try LoadGenerator(load, to: server.address, process: server.identifier)
        let outcome = try generator.run()
        try probe.measure()
        let found = LoadFigures(
            name, .init(items: items, durability: durability), load, outcome, fsync: probe.summary)
        figures.loads.append(found)
        return found
    }

    /// A server over new models and, unless `durability` is "memory", a store, which is a new one unless `keepsStore`.
    func start(
        _ name: String, durability: String, items: Int = items, versions: Int = 1, keepsStore: Bool = false,
        options: [String] = []
    ) throws -> ServerProcess {
        let models = folder.appendingPathComponent("models-\(items)-\(versions)")
        for version in 1...versions {
            let place = models.appendingPathComponent("v\(version)")
            if FileManager.default.fileExists(atPath: place.path) { continue }
            try FileManager.default.createDirectory(at: models, withIntermediateDirectories: true)
            try writeRandomModel(items: items, repeatAware: true, seed: UInt64(version), to: place)
        }
        let store = folder.appendingPathComponent("store-" + name)
        if !keepsStore { try? FileManager.default.removeItem(at: store) }
        let log = durability == "memory" ? ["--in-memory"] : ["--store", store.path, "--durability", durability]
        let server = try ServerProcess(
            program, ["--models", models.path] + log + options, log: folder.appendingPathComponent(name + ".log"))
        if versions > 1 { try server.ask("POST", "/v1/models/v1:activate") }
        return server
    }

    /// Stores events of these users, whole arrays at a time; `events` are numbers within a user's history.
    func fill(_ server: ServerProcess, users: Range<Int>, events: Range<Int>, items: Int) throws {
        let connection = try Connection(to: server.address)
        let usersAtOnce = max(1, 10_000 / events.count)
        for first in stride(from: users.lowerBound, to: users.upperBound, by: usersAtOnce) {
            let list = (first..<min(first + usersAtOnce, users.upperBound)).flatMap { user in
                events.map { event in
                    let item = 1 + (user &* 7919 &+ event &* 31) % items
                    return #"{"user":"u\#(user)","item":"\#(item)","timestamp":\#(1_700_000_000 + event)}"#
                }
            }
            let body = "[" + list.joined(separator: ",") + "]"
            let reply = try connection.exchange(Array(httpRequest("POST", "/v1/events", body: body).utf8))
            guard reply.status == 200 else {
                let said = String(decoding: reply.body.prefix(500), as: UTF8.self)
                throw ConnectionError(description: "events of users from \(first): \(reply.status): \(said)")
            }
        }
    }
}
