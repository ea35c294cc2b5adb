import Events
import Foundation
import Identifiers
import Logging
import Models
import Serving
import Synchronization

/// Releasing and rolling back models while requests are answered.
extension LiveService {
    /// Users with as many events are made ready for a release, whether they are live or not.
    private static let longHistory = 4096

    /// The versions in the folder, the newest last.
    public func versions() async throws(ServiceError) -> [ModelVersion] {
        let names = try await versionNames()
        return releases.withLock { releases in names.map { describe($0, releases) } }
    }

    /// Where the folder is gone while the service runs, clients are not told where it was.
    private func versionNames() async throws(ServiceError) -> [String] {
        let versions = versions
        do { return try await blocking { () throws(ServiceError) in try versions.names() } } catch {
            throw .model(error.description)
        }
    }

    private func describe(_ name: String, _ releases: Releases) -> ModelVersion {
        let active = releases.active.version == name ? releases.active : nil
        return ModelVersion(
            name: name, status: status(name, releases), itemCount: active?.catalogue.items.count,
            summary: active?.model.configuration.summary, failure: releases.failures[name])
    }

    private func status(_ name: String, _ releases: Releases) -> ModelVersion.Status {
        switch name {
        case releases.active.version: .active
        case releases.loading: .loading
        case releases.previous?.version: .previous
        default: .available
        }
    }

    /// Releases a version; nil: the newest. Returns when it answers. Where it fails, the old one goes on.
    @discardableResult
    public func activate(_ version: String? = nil) async throws(ServiceError) -> ModelVersion {
        guard isReady else { throw .stopping }
        let names = try await versionNames()
        guard let name = version ?? names.last, names.contains(name) else {
            throw .notFound("version \(version ?? "") of the model")
        }
        try beginLoading(name)
        do {
            try await release(name)
            releases.withLock {
                $0.loading = nil; $0.failures[name] = nil
            }
        } catch {
            releases.withLock {
                $0.loading = nil; $0.failures[name] = error.publicDescription
            }
            throw error
        }
        return releases.withLock { describe(name, $0) }
    }

    private func beginLoading(_ name: String) throws(ServiceError) {
        let other = releases.withLock { releases -> String? in
            if releases.loading == nil { releases.loading = name; return nil }
            return releases.loading
        }
        if let other { throw .release(version: name, reason: "version \(other) is being made ready") }
    }

    private func release(_ name: String) async throws(ServiceError) {
        let (options, url) = (options, versions.url(name))
        let (new, longUsers) = try await inBackground { [self] () throws(ServiceError) -> (Release, [RawID]) in
            let new = try Release(folder: url, version: name, options: options)
            annotations.prepare(for: new)
            return (new, try self.longUsers())
        }
        let old = release
        guard new.identity != old.identity || new.version != old.version else { return }
        do {
            try await prepare(new, longUsers)
            try await remember(name, keeping: [new.identity, old.identity])
        } catch {
            for shard in shards { _ = shard.queue.add(.abandon) }
            throw error
        }
        releases.withLock { releases in
            for shard in shards { _ = shard.queue.add(.release) }
            releases.previous = (releases.active.version, releases.active.identity)
            releases.active = new
        }
        explainer.run(new) { _ in }  // it lets go of the old one
        logger.notice("A model was released.", metadata: ["version": "\(name)", "previous": "\(old.version)"])
    }

    /// Makes the states ready, beside the model that answers.
    private func prepare(_ release: Release, _ users: [RawID]) async throws(ServiceError) {
        let byShard = Dictionary(grouping: users) { ObjectIdentifier(shard(of: $0)) }
        try await reply { (done: @escaping Reply<Void>) in
            let collector = Collector<Result<Void, ServiceError>>(count: shards.count) { results in
                done(Result { () throws(ServiceError) in for result in results { try result.get() } })
            }
            for (index, shard) in shards.enumerated() {
                let users = byShard[ObjectIdentifier(shard)] ?? []
                let isAdded = shard.queue.add(.prepare(release, users: users) { collector.set($0, at: index) })
                if !isAdded { collector.set(.failure(.stopping), at: index) }
            }
        }
    }

    private func longUsers() throws(ServiceError) -> [RawID] {
        var (found, last) = ([RawID](), RawID?.none)
        while true {
            let page = try withLogErrors { () throws(EventLogError) in try log.users(after: last, limit: 10_000) }
            found += page.filter { $0.eventCount >= Self.longHistory }.map(\.user)
            guard let end = page.last else { return found }
            last = end.user
        }
    }

    /// Runs a long call on a thread of its own.
    private func blocking<Value: Sendable>(
        _ body: @escaping @Sendable () throws(ServiceError) -> Value
    ) async throws(ServiceError) -> Value {
        try await reply { done in
            let thread = Thread { done(Result(catching: body)) }
            thread.stackSize = 4 << 20
            thread.start()
        }
    }

    /// Runs a long call while requests are answered.
    private func inBackground<Value: Sendable>(
        _ body: @escaping @Sendable () throws(ServiceError) -> Value
    ) async throws(ServiceError) -> Value {
        try await reply { done in
            background.run {
                done(Result(catching: body))
            } orElse: {
                done(.failure(.stopping))
            }
        }
    }
}
