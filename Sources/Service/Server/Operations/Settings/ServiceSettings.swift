public import Events
public import Logging

/// How the service runs. What each value means stands in ``Setting/all``.
public struct ServiceSettings: Sendable, Equatable {
    // What it serves.
    public var models: String?
    public var store: String?
    public var isInMemory = false
    public var durability = Durability.full
    public var eventTypes: [String]?
    public var stateMemory = 1 << 30
    public var threads: Int?
    public var maximumWait = Duration.milliseconds(500)

    // Where, and to whom.
    public var host = "127.0.0.1"
    public var port = 8080
    public var certificate: String?
    public var privateKey: String?
    public var keys: String?
    public var readKey: String?
    public var writeKey: String?
    public var adminKey: String?
    public var tokenKeys: String?
    public var allowedHosts: [String]?
    public var corsOrigins: [String]?

    // For how long.
    public var maximumConnections = 4_096
    public var idleTimeout = Duration.seconds(60)
    public var requestTimeout = Duration.seconds(30)
    public var drainDelay = Duration.seconds(1)
    public var drainTimeout = Duration.seconds(30)

    // What it says.
    public var logFormat = ServiceLog.Format.text
    public var logLevel = Logger.Level.info
    public var logsRequests = false
    public var logsUserIDs = false
    public var slowRequest = Duration.seconds(1)

    /// The defaults.
    public init() {}
}
