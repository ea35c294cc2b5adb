import ErrorSupport
import Events

extension ServiceSettings {
    /// Throws where the settings contradict each other or would let strangers in.
    public func validate() throws(SettingError) {
        guard models != nil else { throw SettingError("there is no folder of models: give --models") }
        guard (store != nil) != isInMemory else {
            throw SettingError(
                isInMemory
                    ? "--in-memory and --store exclude each other"
                    : "events need a place: give --store FOLDER, or --in-memory to lose them with the process")
        }
        guard (certificate == nil) == (privateKey == nil) else {
            throw SettingError("--certificate and --private-key belong together: give both or neither")
        }
        guard hasKeys || isLoopback(host) else {
            throw SettingError(
                "without keys only this machine may be served: give --keys FILE or listen on 127.0.0.1 instead of \(host)"
            )
        }
    }

    /// What whoever starts the service should know of these settings, a sentence each.
    public var warnings: [String] {
        var found: [String] = []
        if isInMemory {
            found.append("Events are kept in memory only: they end with the process.")
        } else if durability == .relaxed {
            found.append("Replies do not wait for the disk: a crash of the machine can lose the last events.")
        }
        if !isLoopback(host), certificate == nil {
            found.append(
                "Keys and events cross the network as plain text: give a certificate, or put a proxy with TLS in front."
            )
        }
        return found
    }

    /// Whether clients need keys.
    public var hasKeys: Bool { keys != nil || readKey != nil || writeKey != nil || adminKey != nil }
}

/// Whether an address is one that only this machine reaches.
func isLoopback(_ host: String) -> Bool {
    let host = host.lowercased()
    if host == "localhost" || host == "::1" || host == "[::1]" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
}
