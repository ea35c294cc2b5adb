import CoreMetrics
public import Events
public import Foundation
import Identifiers
public import Logging
import Synchronization

/// The service behind every interface: it stores events, keeps states, ranks items and releases models.
///
/// One event goes one way: ``append(_:)`` → ``LogWriter``, which commits what waits as one group → the user's ``StateShard``, which moves
/// the state → ``RankQueue``, which answers. Methods may be called from any task and do no work on the caller's thread.
public final class LiveService: Sendable {
    let log: any EventLog
    let options: LiveOptions
    let versions: ModelVersions
    let logger: Logger
    let writer: LogWriter
    /// Reads of the log that requests ask for; those of states that are rebuilt have threads of their own.
    let reads: BlockingCalls
    /// Searches of titles, one after the other.
    let searches: BlockingCalls
    private let historyReads: BlockingCalls
    /// What can wait, such as making a release ready.
    let background: BlockingCalls
    let ranking: RankQueue
    let explainer: Explainer
    let shards: [StateShard]
    let annotations: Annotations
    let releases: Mutex<Releases>
    private let threads = ThreadGroup()
    private let isStopping = Mutex(false)

    /// The versions of the model that matter now.
    struct Releases {
        var active: Release
        /// The one before, whose checkpoints are kept.
        var previous: (version: String, identity: String)?
        /// The version that is being made ready.
        var loading: String?
        /// Why versions could not be released.
        var failures: [String: String] = [:]
    }

    /// Opens the models of a folder (of versions, or one model). The version that served last serves again where it is still there, else
    /// the newest one. Throws where there is no model or the log cannot be read.
    public init(
        models: URL, log: any EventLog, options: LiveOptions = LiveOptions(), logger: Logger = Logger(label: "recblr")
    ) throws(ServiceError) {
        LiveMetrics.register()
        (self.log, self.options, self.logger) = (log, options, logger)
        versions = ModelVersions(models)
        let release = try Self.firstRelease(versions, log, options, logger)
        releases = Mutex(Releases(active: release))
        annotations = try withLogErrors { () throws(EventLogError) in try Annotations(log, for: release) }
        let count = max(1, options.threads)
        reads = BlockingCalls(threads: 2, in: threads)
        searches = BlockingCalls(threads: 1, in: threads)
        historyReads = BlockingCalls(threads: 2, in: threads)
        background = BlockingCalls(threads: 1, priority: .background, in: threads)
        writer = LogWriter(log, in: threads, logger: logger)
        ranking = RankQueue(threads: count, annotations, in: threads)
        explainer = Explainer(log, in: threads)
        let surroundings = StateShard.Surroundings(
            log: log, reads: historyReads, background: background, writer: writer, ranking: ranking,
            explainer: explainer, logger: logger, memory: options.stateMemory / count,
            maximumWait: .milliseconds(options.maximumWait))
        let threads = threads
        shards = (0..<count).map { StateShard($0, release, surroundings, in: threads) }
        // Also where nobody ever releases one: the next start serves this one, not what is put beside it meanwhile.
        writer.add(.set(key: Self.versionKey, value: release.version)) { _ in }
    }

    /// Throws where a folder of models has none, so that this is known before a log is made for them.
    public static func checkModels(in folder: URL) throws(ServiceError) { _ = try names(of: ModelVersions(folder)) }

    /// The versions, at least one, the newest last.
    private static func names(of versions: ModelVersions) throws(ServiceError) -> [String] {
        let names = try versions.names()
        guard !names.isEmpty else { throw .notFound("model in \(versions.folder.path)") }
        return names
    }

    private static let versionKey = "activeVersion"

    private static func firstRelease(
        _ versions: ModelVersions, _ log: any EventLog, _ options: LiveOptions, _ logger: Logger
    ) throws(ServiceError) -> Release {
        let names = try names(of: versions)
        let last = try withLogErrors { () throws(EventLogError) in try log.value(of: versionKey) }
        if let last, !names.contains(last) {
            logger.notice("The version that served last is not there any more.", metadata: ["version": "\(last)"])
        }
        let version = last.flatMap { names.contains($0) ? $0 : nil } ?? names[names.count - 1]
        return try Release(folder: versions.url(version), version: version, options: options)
    }

    // MARK: Life

    /// Whether it takes requests.
    public var isReady: Bool { isStopping.withLock { !$0 } }

    /// The version that answers.
    public var activeVersion: String { release.version }

    var release: Release { releases.withLock { $0.active } }

    /// Throws where the service ends, or where somebody has waited too long for what a new request would wait for, too. Returns when the
    /// new one will have waited too long.
    func admit(_ waits: Duration...) throws(ServiceError) -> ContinuousClock.Instant {
        guard isReady else { throw .stopping }
        let limit = Duration.milliseconds(options.maximumWait)
        if let longest = waits.max(), longest >= limit {
            LiveMetrics.overloads.increment()
            throw .overloaded(after: longest)
        }
        return .now + limit
    }

    /// How long the first job of any shard has been waiting.
    var longestShardWait: Duration { shards.map(\.queue.wait).max() ?? .zero }

    func shard(of user: RawID) -> StateShard { shards[Int(UInt(bitPattern: user.hashValue) % UInt(shards.count))] }

    /// Takes no new requests, finishes the changes that wait, tells those who wait for reads and explanations that it ends, and returns
    /// when all states worth keeping are in the log.
    public func stop() async {
        guard
            isStopping.withLock({ isStopping in
                defer { isStopping = true }
                return !isStopping
            })
        else { return }
        explainer.close()
        // What waits for the log, then the checkpoints that follow from it.
        await withCheckedContinuation { done in writer.flush { done.resume() } }
        for shard in shards {
            _ = try? await reply { (done: @escaping Reply<Void>) in
                if !shard.queue.add(.checkpointAll { done(.success(())) }) { done(.success(())) }
            }
        }
        await withCheckedContinuation { done in writer.flush { done.resume() } }
        reads.close()
        searches.close()
        historyReads.close()
        background.close()
        for shard in shards { shard.queue.close() }
        writer.close()
        ranking.close()
        await withCheckedContinuation { continuation in
            let threads = threads
            Thread {
                threads.wait()
                continuation.resume()
            }.start()
        }
    }

    /// Makes a version the one that serves at the next start.
    func remember(_ version: String, keeping identities: [String]) async throws(ServiceError) {
        let _: ChangeOutcome = try await reply { done in writer.add(.set(key: Self.versionKey, value: version), done) }
        writer.add(.keepCheckpoints(ofModels: identities)) { _ in }
    }
}

/// Reports an error of the log as one of the service.
func withLogErrors<Value>(_ body: () throws(EventLogError) -> Value) throws(ServiceError) -> Value {
    do { return try body() } catch { throw .log(error) }
}
