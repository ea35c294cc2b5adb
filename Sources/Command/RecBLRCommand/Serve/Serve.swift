import ArgumentParser
import ErrorSupport
import Events
import FileSupport
import Foundation
import Identifiers
import Live
import Logging
import Metrics
import Report
import SQLiteLog
import Server
import Training

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answer other programs over HTTP: events in, recommendations out.",
        discussion: """
            Every event is on disk before its reply, moves its user's state by one step, and the next request sees it. Each option \
            can be given as an environment variable (--state-memory as RECBLR_SERVE_STATE_MEMORY) or as a key of a JSON file \
            ("state-memory"); an option comes before the environment, that before the file. Secrets come from the environment only: \
            RECBLR_SERVE_READ_KEY, RECBLR_SERVE_WRITE_KEY, RECBLR_SERVE_ADMIN_KEY.

            SIGTERM and Ctrl-C finish the requests that are under way, a second one ends at once; SIGHUP releases the newest model. \
            How to run it for others: docs/operations.md.

            Example:

              recblr serve --models models/shop --store events
              recblr serve --models models/shop --store events --keys keys.txt --host ::
              recblr serve --configuration serve.json --print-configuration
              curl --json '{"item": "a17"}' localhost:8080/v1/users/42/events?recommend=3
            """)

    @OptionGroup var flags: ServeFlags
    @Option(
        name: .customLong("configuration"), help: ArgumentHelp("JSON file of settings.", valueName: "file"),
        transform: pathArgument)
    var file: String?
    @Flag(help: "Print all settings and where each comes from, and end.") var printConfiguration = false

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        let path = file ?? environment[ResolvedSettings.fileVariable]
        let resolved = try ResolvedSettings(flags: flags.given, environment: environment, file: path.map(fileURL))
        let unknown = resolved.unknownVariables.map { "\($0) is no setting." }
        guard printConfiguration else { return try serve(resolved.values, warnings: unknown) }
        for warning in unknown { printError("recblr: warning: \(warning)") }
        try printOutput(settingsTable(resolved))
    }

    private func serve(_ settings: ServiceSettings, warnings: [String]) throws {
        var settings = settings
        // Memory outlives nothing, and replies must not say otherwise.
        if settings.store == nil { settings.durability = .relaxed }
        let metrics = PrometheusMetrics()
        MetricsSystem.bootstrap(metrics)
        let log = ServiceLog(settings.logFormat, level: settings.logLevel, showsUsers: settings.logsUserIDs)
        LoggingSystem.bootstrap { _ in log }
        let logger = Logger(label: "recblr")

        let server = try HTTPService(settings, version: programVersion, metrics: metrics, logger: logger)
        // A start that is refused leaves no store behind.
        try waiting { try await server.checkAddress() }
        let models = fileURL(settings.models ?? "")
        try LiveService.checkModels(in: models)
        let service = try LiveService(
            models: models, log: try eventLog(settings), options: LiveOptions(settings), logger: logger)
        for warning in warnings + settings.warnings { logger.warning("\(warning)") }
        raiseConnectionLimit(settings, logger)
        let format = settings.logFormat
        try waiting {
            try await server.run(service) { address in
                let sentence = "Serving version \(service.activeVersion) on \(address)"
                format == .text ? printError(sentence) : logger.notice("\(sentence)")
            }
        }
        logger.notice("Stopped.")
    }

    private func eventLog(_ settings: ServiceSettings) throws -> any EventLog {
        guard let store = settings.store else { return MemoryEventLog() }
        return try SQLiteEventLog(fileURL(store), durability: settings.durability)
    }

    private func raiseConnectionLimit(_ settings: ServiceSettings, _ logger: Logger) {
        let others = 64  // files of the store and of models, standard streams
        let limit = raiseOpenFileLimit(to: settings.maximumConnections + others)
        guard limit < settings.maximumConnections + others else { return }
        logger.warning(
            "The system allows fewer open files than --maximum-connections needs: raise ulimit -n.",
            metadata: ["allowed": .stringConvertible(limit)])
    }
}

extension LiveOptions {
    /// What the settings say of the engine.
    fileprivate init(_ settings: ServiceSettings) {
        self.init()
        eventTypes = settings.eventTypes.map { Set($0.map { RawID($0) }) }
        stateMemory = settings.stateMemory
        threads = settings.threads ?? ProcessInfo.processInfo.activeProcessorCount
        maximumWait = Int(settings.maximumWait / .milliseconds(1))
    }
}

/// All settings, their values and where each comes from.
private func settingsTable(_ settings: ResolvedSettings) -> String {
    var table = TextTable(["Setting", "value", "from"])
    for setting in Setting.all {
        let origin = settings.origin(of: setting)
        table.add([setting.name, setting.text(settings.values) ?? "–", origin.place(setting)])
    }
    return table.text
}

/// Runs asynchronous work to its end, blocking the main thread.
private func waiting(_ work: @escaping @Sendable () async throws -> Void) throws {
    let (end, result) = (DispatchSemaphore(value: 0), Outcome())
    Task {
        do { try await work() } catch { result.error = error }
        end.signal()
    }
    end.wait()
    if let error = result.error { throw error }
}

/// How work ended; written before the semaphore is signalled and read after.
private final class Outcome: @unchecked Sendable { var error: (any Error)? }
