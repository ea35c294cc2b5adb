import CoreMetrics
import Events
import Foundation
import Logging

/// The one thread that changes the log. What waits is committed together: one wait for the disk, however many requests.
final class LogWriter: Sendable {
    /// A change, and what happens with its outcome when it is durable. Completions run on the writer's thread, in the order of the log.
    struct Request: Sendable {
        var change: LogChange
        /// Nil: it may wait for ever.
        var deadline: ContinuousClock.Instant?
        var completion: @Sendable (Result<ChangeOutcome, ServiceError>) -> Void
    }

    /// Events that are committed together, if no single request has more.
    private static let groupEvents = 2000
    private let log: any EventLog
    private let queue = WorkQueue<Entry>()
    private let logger: Logger

    /// What can go wrong for a while.
    private struct Troubles {
        var writing, purging: LastingTrouble

        init(_ logger: Logger) {
            writing = LastingTrouble(logger, .error, "The log refuses to write.", end: "The log is written again.")
            purging = LastingTrouble(
                logger, .warning, "Deleted data could not be removed from the files yet.",
                end: "Deleted data has been removed from the files.")
        }
    }

    private enum Entry: Sendable {
        case change(Request)
        case purge(@Sendable (Result<Void, ServiceError>) -> Void)
        case barrier(@Sendable () -> Void)
    }

    init(_ log: any EventLog, in group: ThreadGroup, logger: Logger) {
        (self.log, self.logger) = (log, logger)
        group.start("recblr-log") { [self] in run() }
    }

    /// How long the first request has been waiting.
    var wait: Duration { queue.wait }

    /// Adds a change; the completion fails at once where the service has ended.
    func add(
        _ change: LogChange, deadline: ContinuousClock.Instant? = nil,
        _ completion: @escaping @Sendable (Result<ChangeOutcome, ServiceError>) -> Void
    ) {
        let request = Request(change: change, deadline: deadline, completion: completion)
        if !queue.add(.change(request)) { completion(.failure(.stopping)) }
    }

    /// Calls back when nothing that was deleted is left in any file.
    func purge(_ completion: @escaping @Sendable (Result<Void, ServiceError>) -> Void) {
        if !queue.add(.purge(completion)) { completion(.failure(.stopping)) }
    }

    /// Calls back when all that was added before is done.
    func flush(_ completion: @escaping @Sendable () -> Void) { if !queue.add(.barrier(completion)) { completion() } }

    /// Ends the thread after what waits.
    func close() { queue.close() }

    private func run() {
        // A process that was killed may have left something.
        var troubles = Troubles(logger)
        var purge = Purge(due: Date(timeIntervalSinceNow: Purge.delay))
        while !queue.isDone {
            let entries = queue.take(256, until: purge.due)
            let requests = entries.compactMap { if case .change(let request) = $0 { request } else { nil } }
            for group in Self.groups(requests) where commit(group, &troubles) { purge.schedule(in: Purge.delay) }
            for case .barrier(let completion) in entries { completion() }
            for case .purge(let completion) in entries { purge.add(completion) }
            if purge.isDue { carryOut(&purge, &troubles) }
        }
        if purge.due != nil { carryOut(&purge, &troubles) }
        purge.end(.failure(.stopping))
    }

    /// Requests that are committed together: with so few events that nobody waits for long, except that a request is not divided.
    private static func groups(_ requests: [Request]) -> [ArraySlice<Request>] {
        var (groups, start, events) = ([ArraySlice<Request>](), 0, 0)
        for (index, request) in requests.enumerated() {
            if index > start, events + request.change.eventCount > groupEvents {
                groups.append(requests[start..<index])
                (start, events) = (index, 0)
            }
            events += request.change.eventCount
        }
        return groups + [requests[start...]]
    }

    /// Commits all requests that have not waited too long. True where something was deleted.
    private func commit(_ requests: ArraySlice<Request>, _ troubles: inout Troubles) -> Bool {
        let now = ContinuousClock.now
        let group = requests.filter { $0.deadline.map { now < $0 } ?? true }
        for request in requests where request.deadline.map({ now >= $0 }) ?? false {
            LiveMetrics.overloads.increment()
            request.completion(.failure(.overloaded(after: queue.wait)))
        }
        guard !group.isEmpty else { return false }
        LiveMetrics.groupSize.record(group.count)
        do {
            let outcomes = try log.commit(group.map(\.change), now: currentTime())
            troubles.writing.ended()
            LiveMetrics.commitTime.recordNanoseconds((ContinuousClock.now - now).nanoseconds)
            for (request, outcome) in zip(group, outcomes) {
                request.completion(outcome.mapError(ServiceError.refused))
            }
            return group.contains(where: \.change.deletes)
        } catch {
            troubles.writing.happened(error)
            for request in group { request.completion(.failure(.log(error))) }
            return false
        }
    }

    private func carryOut(_ purge: inout Purge, _ troubles: inout Troubles) {
        do {
            try log.purgeDeleted()
            troubles.purging.ended()
            purge.end(.success(()))
        } catch {
            // Somebody reads what is to go (a backup, say), or the disk does not take it now.
            troubles.purging.happened(error)
            purge.postpone()
        }
    }
}

/// What has been deleted and may still be in the files.
private struct Purge {
    /// Nothing deleted is left after so many seconds, where nobody reads it.
    static let delay = 30.0
    /// So many seconds later it is tried again; sooner where somebody waits.
    private static let pause = (usual: 5.0, waiting: 0.5)
    /// Who has waited so long is told.
    private static let patience = Duration.seconds(60)

    /// When to remove it; nil where there is nothing.
    private(set) var due: Date?
    private var waiting: [(completion: Reply<Void>, since: ContinuousClock.Instant)] = []

    init(due: Date) { self.due = due }

    var isDue: Bool { due.map { $0 <= Date() } ?? false }

    mutating func schedule(in seconds: Double) { due = due ?? Date(timeIntervalSinceNow: seconds) }

    mutating func add(_ completion: @escaping Reply<Void>) {
        waiting.append((completion, .now))
        due = .distantPast
    }

    mutating func postpone() {
        for each in waiting where ContinuousClock.now - each.since >= Self.patience {
            each.completion(.failure(.unpurged))
        }
        waiting.removeAll { ContinuousClock.now - $0.since >= Self.patience }
        due = Date(timeIntervalSinceNow: waiting.isEmpty ? Self.pause.usual : Self.pause.waiting)
    }

    mutating func end(_ result: Result<Void, ServiceError>) {
        for each in waiting { each.completion(result) }
        (due, waiting) = (nil, [])
    }
}

extension LogChange {
    fileprivate var eventCount: Int { if case .append(let events, _) = self { events.count } else { 1 } }

    /// Whether something may be gone that must not be left in the files.
    fileprivate var deletes: Bool {
        switch self {
        case .deleteUser, .deleteEvents, .annotate, .changeProfiles: true
        case .append(_, let replaced): !replaced.isEmpty
        case .checkpoint, .keepCheckpoints, .set: false
        }
    }
}

extension Duration {
    /// In nanoseconds.
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
