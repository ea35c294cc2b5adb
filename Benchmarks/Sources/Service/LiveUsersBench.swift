import CPUBackend
import Dispatch
import Foundation
import Identifiers
import Models

/// Memory of users with live states, and how fast states come back from the log.
extension ServiceBench {
    private static let events = 20

    mutating func liveUsers() throws {
        let options = ["--state-memory", "16GB"]
        let filled = try start("users", durability: "relaxed", options: options)
        try fill(filled, users: 0..<users, events: 0..<Self.events, items: Self.items)
        filled.stop()
        let server = try start("users", durability: "relaxed", keepsStore: true, options: options)
        let empty = server.usage.resident
        let cold = try recommendToAll(server)
        let live = server.usage.resident
        let warm = try recommendToAll(server)
        try fill(server, users: 0..<users, events: Self.events..<2 * Self.events, items: Self.items)
        let longer = server.usage.resident
        let events = Double(users * Self.events)
        let forward = try forwardRate()
        let bytesPerUser = Double(live - empty) / Double(users)
        figures.goals += [
            .atMost(3, "s", "start to ready, \(users * Self.events) events", server.secondsToReady),
            .atMost(5, "GB", "a million users of 20 events", (Double(empty) + 1e6 * bytesPerUser) / 1e9),
            .atMost(8, "bytes", "a further item", Double(longer - live) / events),
            .atLeast(
                0.7 * forward, "events/s", "rebuild of all users, 70 % of the forward rate",
                events / max(1e-9, cold - warm)),
        ]
    }

    /// Asks for the ten best of all users, as many at once as there are cores. Returns seconds.
    private func recommendToAll(_ server: ServerProcess) throws -> Double {
        let start = ContinuousClock.now
        let (users, threads) = (users, figures.machine.cores)
        nonisolated(unsafe) var found = [(any Error)?](repeating: nil, count: threads)
        found.withUnsafeMutableBufferPointer { found in
            nonisolated(unsafe) let found = found
            DispatchQueue.concurrentPerform(iterations: threads) { thread in
                do {
                    for first in stride(from: 1000 * thread, to: users, by: 1000 * threads) {
                        let names = (first..<min(first + 1000, users)).map { "\"u\($0)\"" }
                        let body = #"{"users":[\#(names.joined(separator: ","))],"n":10}"#
                        try server.ask("POST", "/v1/recommendations:batch", body: body)
                    }
                } catch { found[thread] = error }
            }
        }
        if let failure = found.lazy.compactMap({ $0 }).first { throw failure }
        return seconds(since: start)
    }

    /// Events a second of forward passes over histories as long as those of the users, on all cores.
    private func forwardRate() throws -> Double {
        let model = try SequenceModel(
            initializing: ModelConfiguration(itemCount: Self.items), seed: 1, on: CPUBackend())
        let histories = (0..<50).map { user in
            (0..<Self.events).map { ItemID(row: (user * 7919 + $0 * 31) % Self.items) }
        }
        let threads = figures.machine.cores
        func pass(_ rounds: Int) -> Double {
            let start = ContinuousClock.now
            DispatchQueue.concurrentPerform(iterations: threads) { _ in
                let encoder = SequenceEncoder(model, tokens: 50 * Self.events, sequences: 50)
                for _ in 0..<rounds { _ = try! encoder.encode(histories) }
            }
            return seconds(since: start)
        }
        let rounds = 200
        _ = pass(10)
        return Double(threads * rounds * 50 * Self.events) / pass(rounds)
    }
}
