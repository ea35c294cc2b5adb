import Foundation
public import Logging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes log lines, each with one system call, to standard error.
///
/// Whoever logs puts users into the metadata ``userKey`` and nowhere else: their ids are left out unless they were asked for.
public struct ServiceLog: LogHandler {
    /// The form of a line.
    public enum Format: String, Sendable, CaseIterable {
        /// Time, level, message, then `key=value`.
        case text
        /// One JSON object.
        case json
    }

    /// The key of the metadata that identifies a user.
    public static let userKey = "user"

    /// The lowest level that is written.
    public var logLevel = Logger.Level.info
    /// What every line says.
    public var metadata: Logger.Metadata = [:]
    /// Says more about each line.
    public var metadataProvider: Logger.MetadataProvider?
    private let format: Format
    private let showsUsers: Bool
    private let write: @Sendable (String) -> Void

    /// A log in this form. With `showsUsers`, lines may identify users.
    public init(
        _ format: Format, level: Logger.Level = .info, showsUsers: Bool = false,
        write: @escaping @Sendable (String) -> Void = { writeToStandardError($0) }
    ) {
        (self.format, self.showsUsers, self.write) = (format, showsUsers, write)
        logLevel = level
    }

    /// One value of the metadata of this log.
    public subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes a line.
    public func log(event: LogEvent) {
        var values = metadata
        if let more = metadataProvider?.get() { values.merge(more) { $1 } }
        if let more = event.metadata { values.merge(more) { $1 } }
        if let error = event.error { values["error"] = "\(error)" }
        if let request = values.removeValue(forKey: ServerContext.requestKey) { values["request"] = request }
        if !showsUsers { values[Self.userKey] = nil }
        let time = Date.now.formatted(
            .iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted))
        let sorted = values.sorted { $0.key < $1.key }
        switch format {
        case .text: write(textLine(time, event, sorted))
        case .json: write(jsonLine(time, event, sorted))
        }
    }

    private func textLine(_ time: String, _ event: LogEvent, _ values: [(key: String, value: Logger.MetadataValue)])
        -> String
    {
        var line = "\(time) \(event.level) \(withoutControlCharacters("\(event.message)"))"
        for (key, value) in values {
            let text = "\(value)"
            line += " \(key)=" + (isPlain(text) ? text : quoted(text))
        }
        return line + "\n"
    }

    private func jsonLine(_ time: String, _ event: LogEvent, _ values: [(key: String, value: Logger.MetadataValue)])
        -> String
    {
        let fields = [
            ("time", quoted(time)), ("level", quoted("\(event.level)")), ("message", quoted("\(event.message)")),
        ]
        return "{"
            + (fields + values.map { ($0.key, json($0.value)) }).map { "\(quoted($0.0)):\($0.1)" }.joined(
                separator: ",") + "}\n"
    }
}

/// Writes to standard error. What cannot be written is lost: a log never stops the service.
public func writeToStandardError(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
        var rest = UnsafeRawBufferPointer(bytes)
        while let start = rest.baseAddress, !rest.isEmpty {
            let count = write(STDERR_FILENO, start, rest.count)
            if count < 0, errno != EINTR { return }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(max(0, count)))
        }
    }
}
