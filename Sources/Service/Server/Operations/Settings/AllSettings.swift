extension Setting {
    /// All settings, described once: flags, environment variables, the keys of the file, `--print-configuration` and docs/operations.md follow
    /// from this list.
    public static let all: [Setting] = serving + access + limits + logging

    private static let serving = [
        Setting("models", .optional(.text("folder")), \.models, "Folder of model versions, or one model's folder."),
        Setting(
            "store", .optional(.text("folder")), \.store,
            "Folder of the event log, made where it does not exist. One server at a time."),
        Setting("in-memory", .flag, \.isInMemory, "Keep the events in memory only: they end with the process."),
        Setting(
            "durability", .choice, \.durability,
            "full: replies wait for the disk. relaxed: a crash of the machine can lose the last events."),
        Setting(
            "event-types", .optional(.list("types")), \.eventTypes,
            "Types of events that move the states, with commas. (default: all)"),
        Setting(
            "state-memory", .bytes(atLeast: 8192), \.stateMemory,
            "The most memory for live states; the least recently used are dropped."),
        Setting("threads", .optional(.number(in: 1...1_024)), \.threads, "Threads that compute. (default: all cores)"),
        Setting(
            "maximum-wait", .duration(atLeast: .milliseconds(1)), \.maximumWait,
            "How long a request may wait in a queue; one that would wait longer gets 503."),
    ]

    private static let access = [
        Setting(
            "host", .text("address"), \.host, "Address to listen on. Others than this machine's own loopback need keys."
        ),
        Setting("port", .number(in: 0...65_535), \.port, "Port to listen on; 0: any free one."),
        Setting(
            "certificate", .optional(.text("file")), \.certificate,
            "Certificates for TLS (PEM), the server's own first."),
        Setting("private-key", .optional(.text("file")), \.privateKey, "The certificate's key (PEM)."),
        Setting(
            "keys", .optional(.text("file")), \.keys,
            "File of API keys: lines of read, write or admin and a key. Without keys everybody on this machine may do everything."
        ),
        Setting("read-key", .optional(.key), \.readKey, isSecret: true, "A key that may read."),
        Setting("write-key", .optional(.key), \.writeKey, isSecret: true, "A key that may read and write."),
        Setting("admin-key", .optional(.key), \.adminKey, isSecret: true, "A key that may do everything."),
        Setting(
            "token-keys", .optional(.text("file")), \.tokenKeys,
            "File of one or two lines of 64 hexadecimal digits: the key that seals state tokens, and the one before it. (default: a new key with each start)"
        ),
        Setting(
            "allowed-hosts",
            .optional(.list("names", of: "names without scheme and port, such as shop.example", where: isHostName)),
            \.allowedHosts,
            "Names by which clients may call the server, with commas. (default: without keys the loopback's names, with keys any)"
        ),
        Setting(
            "cors-origins",
            .optional(.list("origins", of: "origins such as https://shop.example", where: isOrigin)), \.corsOrigins,
            "Web pages' origins that may call the server, with commas: https://shop.example. (default: none)"),
    ]

    private static let limits = [
        Setting(
            "maximum-connections", .number(in: 1...1_000_000), \.maximumConnections,
            "Connections at a time; more wait to be accepted."),
        Setting(
            "idle-timeout", .duration(atLeast: .milliseconds(100)), \.idleTimeout,
            "How long a connection may wait for the head of its next request."),
        Setting(
            "request-timeout", .duration(atLeast: .milliseconds(100)), \.requestTimeout,
            "How long a request's body may take to arrive, and a reply to be taken."),
        Setting(
            "drain-delay", .duration(atLeast: .zero), \.drainDelay,
            "How long a server that is told to stop still accepts connections, while /health/ready says 503."),
        Setting(
            "drain-timeout", .duration(atLeast: .zero), \.drainTimeout,
            "How long requests may take to finish after that."),
    ]

    private static let logging = [
        Setting("log-format", .choice, \.logFormat, "Form of the lines on standard error."),
        Setting("log-level", .choice, \.logLevel, "The lowest level that is logged."),
        Setting("log-requests", .flag, \.logsRequests, "Log each request at info instead of debug."),
        Setting("log-user-ids", .flag, \.logsUserIDs, "Allow users' ids in log lines."),
        Setting(
            "slow-request", .duration(atLeast: .zero), \.slowRequest,
            "Requests that take longer are logged as warnings."),
    ]
}
