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

    /// Nothing deleted is left in the files after so many seconds.
    private static let secondsUntilPurge = 30.0
    private let log: any EventLog
    private let queue = WorkQueue<Entry>()
    private let logger: Logger

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
        var (purgeTime, waiting): (Date?, [@Sendable (Result<Void, ServiceError>) -> Void]) = (nil, [])
        while !queue.isDone {
            let entries = queue.take(256, until: purgeTime)
            let requests = entries.compactMap { if case .change(let request) = $0 { request } else { nil } }
            if commit(requests), purgeTime == nil { purgeTime = Date(timeIntervalSinceNow: Self.secondsUntilPurge) }
            for case .barrier(let completion) in entries { completion() }
            let purges = entries.compactMap { if case .purge(let completion) = $0 { completion } else { nil } }
            waiting += purges
            guard !purges.isEmpty || purgeTime.map({ $0 <= Date() }) ?? false else { continue }
            let result = purge()
            if case .failure(.log(.unavailable)) = result {  // somebody reads what is to go: a backup, say
                purgeTime = Date(timeIntervalSinceNow: waiting.isEmpty ? 5 : 0.2)
                continue
            }
            purgeTime = nil
            for completion in waiting { completion(result) }
            waiting = []
        }
        let result = purgeTime == nil ? .success(()) : purge()
        for completion in waiting { completion(result) }
    }

    /// Commits all requests that have not waited too long. True where something was deleted.
    private func commit(_ requests: [Request]) -> Bool {
        let now = ContinuousClock.now
        let group = requests.filter { $0.deadline.map { now < $0 } ?? true }
        for request in requests where request.deadline.map({ now >= $0 }) ?? false {
            request.completion(.failure(.overloaded(after: queue.wait)))
        }
        guard !group.isEmpty else { return false }
        LiveMetrics.groupSize.record(group.count)
        do {
            let outcomes = try log.commit(group.map(\.change), now: currentTime())
            LiveMetrics.commitTime.recordNanoseconds((ContinuousClock.now - now).nanoseconds)
            for (request, outcome) in zip(group, outcomes) {
                request.completion(outcome.mapError(ServiceError.refused))
            }
            return group.contains(where: \.change.deletes)
        } catch {
            logger.error("The log refuses to write.", metadata: ["reason": "\(error)"])
            for request in group { request.completion(.failure(.log(error))) }
            return false
        }
    }

    private func purge() -> Result<Void, ServiceError> {
        do { return .success(try log.purgeDeleted()) } catch {
            logger.warning("Deleted data could not be removed from the files yet.", metadata: ["reason": "\(error)"])
            return .failure(.log(error))
        }
    }
}

extension LogChange {
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
