import ArgumentParser
import Server

/// The flags of the settings: ``Setting`` says what each means. Only the environment takes secrets.
struct ServeFlags: ParsableArguments {
    @Option(setting: "models") var models: String?
    @Option(setting: "store") var store: String?
    @Flag(setting: "in-memory") var inMemory = false
    @Option(setting: "durability") var durability: String?
    @Option(setting: "event-types") var eventTypes: String?
    @Option(setting: "state-memory") var stateMemory: String?
    @Option(setting: "threads") var threads: String?
    @Option(setting: "maximum-wait") var maximumWait: String?

    @Option(setting: "host") var host: String?
    @Option(setting: "port") var port: String?
    @Option(setting: "certificate") var certificate: String?
    @Option(setting: "private-key") var privateKey: String?
    @Option(setting: "keys") var keys: String?
    @Option(setting: "token-keys") var tokenKeys: String?
    @Option(setting: "allowed-hosts") var allowedHosts: String?
    @Option(setting: "cors-origins") var corsOrigins: String?

    @Option(setting: "maximum-connections") var maximumConnections: String?
    @Option(setting: "idle-timeout") var idleTimeout: String?
    @Option(setting: "request-timeout") var requestTimeout: String?
    @Option(setting: "drain-delay") var drainDelay: String?
    @Option(setting: "drain-timeout") var drainTimeout: String?

    @Option(setting: "log-format") var logFormat: String?
    @Option(setting: "log-level") var logLevel: String?
    @Flag(setting: "log-requests") var logRequests = false
    @Flag(setting: "log-user-ids") var logUserIDs = false
    @Option(setting: "slow-request") var slowRequest: String?

    /// The texts of those that were given, by the names of their settings.
    var given: [String: String] {
        var texts: [String: String] = [:]
        for child in Mirror(reflecting: self).children {
            switch child.value {
            case let option as Option<String?>: texts[Self.name(child.label)] = option.wrappedValue
            case let flag as Flag<Bool>: texts[Self.name(child.label)] = flag.wrappedValue ? "true" : nil
            default: break
            }
        }
        return texts
    }

    /// `state-memory` for the storage of `stateMemory`.
    private static func name(_ label: String?) -> String {
        let property = (label ?? "").drop { $0 == "_" }
        return Setting.all.map(\.name).first { $0.replacing("-", with: "") == property.lowercased() }
            ?? String(property)
    }
}

extension Option where Value == String? {
    /// The flag of a setting with a value.
    fileprivate init(setting name: String) {
        let setting = Setting.named(name)
        let standard = setting?.text(ServiceSettings()).map { " (default: \($0))" } ?? ""
        self.init(
            name: .customLong(name),
            help: ArgumentHelp(stringLiteral: (setting?.help ?? "") + standard).named(setting?.placeholder))
    }
}

extension Flag where Value == Bool {
    /// The flag of a setting that is on or off.
    fileprivate init(wrappedValue: Bool, setting name: String) {
        self.init(
            wrappedValue: wrappedValue, name: .customLong(name),
            help: ArgumentHelp(stringLiteral: Setting.named(name)?.help ?? ""))
    }
}

extension ArgumentHelp {
    /// The same with a name for the value.
    fileprivate func named(_ value: String?) -> ArgumentHelp {
        var help = self
        help.valueName = value
        return help
    }
}
