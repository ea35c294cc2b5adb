import ErrorSupport
import Live
import Logging
import ServiceLifecycle
import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Stops the engine when everything that calls it has ended.
struct StopService: Service {
    let service: LiveService

    func run() async throws {
        try? await gracefulShutdown()  // throws where another service failed
        await service.stop()
    }
}

/// Releases the newest model with each SIGHUP.
struct ReleaseOnHangup: Service {
    let service: LiveService
    let logger: Logger

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            do {
                // The service says which one it releases.
                let version = try await service.activate(nil)
                logger.notice("The newest version answers.", metadata: ["version": .string(version.name)])
            } catch {
                logger.error("Not released after SIGHUP.", metadata: ["reason": .string(error.description)])
            }
        }
    }
}

/// Stops first: for a while the server says that it is not ready and answers nevertheless, so that nobody is sent to it any more.
struct DrainDelay: Service {
    let draining: Draining
    let delay: Duration

    func run() async throws {
        try await gracefulShutdown()
        draining.begin()
        try await Task.sleep(for: delay)
    }
}

/// Ends a group of services with the first SIGTERM or SIGINT, and the process with the second.
struct StopSignals {
    let logger: Logger

    /// Runs the services until they end.
    func run(_ group: ServiceGroup) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let listening = Task {
            var isStopping = false
            for await signal in signals {
                if isStopping { _exit(ExitStatus.interrupted.rawValue) }
                isStopping = true
                logger.notice("Stopping.", metadata: ["signal": "\(signal)"])
                await group.triggerGracefulShutdown()
            }
        }
        defer { listening.cancel() }
        try await group.run()
    }
}
