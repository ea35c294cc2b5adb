import Events
import Foundation
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
public import Live
public import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// The service on a port: from the files that the settings name to the end of its last request.
public struct HTTPService: Sendable {
    private let settings: ServiceSettings
    private let keys: AccessKeys
    private let certificate: ServerCertificate?
    private let tokenKeys: TokenKeys
    private let metrics: PrometheusMetrics
    private let process: ProcessMetrics
    private let logger: Logger
    private let draining = Draining()

    /// Reads the files that the settings name, so that what is wrong with them is known before anything else is opened. `metrics` are those
    /// that the whole process reports to.
    public init(
        _ settings: ServiceSettings, version: String, metrics: PrometheusMetrics, logger: Logger
    ) throws(SettingError) {
        try settings.validate()
        (self.settings, self.metrics, self.logger) = (settings, metrics, logger)
        keys = try AccessKeys(settings)
        certificate = try ServerCertificate(settings)
        tokenKeys = try TokenKeys(settings)
        process = ProcessMetrics(version: version, start: .now, in: metrics)
        if keys.hasShortKey {
            logger.warning("A key has fewer than \(AccessKeys.shortestGoodKey) characters: it can be guessed.")
        }
    }

    /// Throws where nobody can listen on the address of the settings now. So that is known before anything is made on the disk.
    public func checkAddress() async throws(ListenError) {
        do {
            let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: settings.host, port: settings.port).get()
            try await channel.close()
        } catch { throw ListenError(error, host: settings.host, port: settings.port) }
    }

    /// Answers requests until the process is told to stop, by SIGTERM or SIGINT: then requests that are under way are finished, and `service` is
    /// stopped. A second signal ends the process at once. SIGHUP releases the newest model. `onReady` is called with the server's address.
    public func run(
        _ service: LiveService, onReady: @escaping @Sendable (String) -> Void
    ) async throws(ListenError) {
        let router = router(
            service, durability: settings.durability, tokenKeys: tokenKeys,
            middleware: guards(settings, keys: keys, draining: draining, metrics: metrics),
            others: addMetricsRoute)
        do {
            let application = Application(
                router: router, server: try channels(), configuration: configuration,
                onServerRunning: { onReady(address(port: $0.localAddress?.port)) }, logger: logger)
            // They stop in the reverse order.
            var group = ServiceGroupConfiguration(
                services: [
                    StopService(service: service), ReleaseOnHangup(service: service, logger: logger), application,
                    DrainDelay(draining: draining, delay: settings.drainDelay),
                ], logger: lifecycleLogger)
            group.maximumGracefulShutdownDuration = settings.drainDelay + settings.drainTimeout
            try await StopSignals(logger: logger).run(ServiceGroup(configuration: group))
        } catch { throw ListenError(error, host: settings.host, port: settings.port) }
    }

    /// Says less: each service that begins and ends is of interest to nobody.
    private var lifecycleLogger: Logger {
        var quiet = logger
        quiet.logLevel = max(.info, logger.logLevel)
        return quiet
    }

    private func addMetricsRoute(to router: Router<ServerContext>) {
        router.get("/metrics") { _, _ in
            process.update()
            let headers: HTTPFields = [.contentType: "text/plain; version=0.0.4; charset=utf-8"]
            return Response(
                status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.text())))
        }
    }

    /// Connections, with or without TLS.
    private func channels() throws -> HTTPServerBuilder {
        let (limits, instruments) = (ConnectionLimits(settings), ConnectionMetrics(factory: metrics))
        let plain = HTTPServerBuilder.http1(
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [ConnectionGuard(limits, instruments)],
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 64 << 10, maxHeaderListSize: 96 << 10, maxHeaderFieldCount: 100)))
        guard let certificate else { return plain }
        return try .tls(plain, tlsConfiguration: certificate.configuration)
    }

    private var configuration: ApplicationConfiguration {
        ApplicationConfiguration(
            address: .hostname(settings.host, port: settings.port), serverName: "recblr", backlog: 1_024,
            availableConnectionsDelegate: MaximumAvailableConnections(settings.maximumConnections, logger: logger))
    }

    private func address(port: Int?) -> String {
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        return "\(certificate == nil ? "http" : "https")://\(host):\(port ?? settings.port)"
    }
}
