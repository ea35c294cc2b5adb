public import ErrorSupport
import FileSupport
public import Foundation

/// Where the value of a setting comes from.
public enum SettingOrigin: Sendable, Equatable {
    /// It is the default.
    case byDefault
    /// The configuration file.
    case file(String)
    /// An environment variable.
    case environment
    /// The command line.
    case flag

    /// The setting as it is written there.
    public func place(_ setting: Setting) -> String {
        switch self {
        case .byDefault: "default"
        case .file(let path): "\(path): \(setting.name)"
        case .environment: setting.variable
        case .flag: "--\(setting.name)"
        }
    }
}

/// A setting that cannot be.
public struct SettingError: UserFacingError, Equatable {
    /// One sentence for people.
    public let description: String
    /// Bad data where a file has the wrong form, else wrong usage.
    public let exitStatus: ExitStatus

    init(_ description: String, _ exitStatus: ExitStatus = .usage) {
        (self.description, self.exitStatus) = (description, exitStatus)
    }

    /// Reports a file that a setting names and that cannot be read.
    static func wrapping<Value>(_ body: () throws(FileError) -> Value) throws(SettingError) -> Value {
        do { return try body() } catch { throw SettingError(error.description, error.exitStatus) }
    }
}

/// The settings of a service, and where each comes from: a flag, else the environment, else the file, else the default.
public struct ResolvedSettings: Sendable {
    /// The values.
    public private(set) var values = ServiceSettings()
    /// Variables of the environment that look like settings and are none.
    public let unknownVariables: [String]
    private var origins: [String: SettingOrigin] = [:]

    /// The environment variable that names the configuration file.
    public static let fileVariable = Setting.prefix + "CONFIGURATION"

    /// Takes texts by names from the file, where there is one, by variables from the environment, and by names from the flags.
    public init(
        flags: [String: String], environment: [String: String], file: URL?
    ) throws(SettingError) {
        let known = Set(Setting.all.map(\.variable) + [Self.fileVariable])
        unknownVariables = environment.keys.filter { $0.hasPrefix(Setting.prefix) && !known.contains($0) }.sorted()
        if let file {
            let texts = try SettingsFile.read(file)
            for setting in Setting.all { try set(setting, texts[setting.name], .file(file.lastPathComponent)) }
        }
        for setting in Setting.all { try set(setting, environment[setting.variable], .environment) }
        for setting in Setting.all { try set(setting, flags[setting.name], .flag) }
    }

    /// Where the value of a setting comes from.
    public func origin(of setting: Setting) -> SettingOrigin { origins[setting.name] ?? .byDefault }

    private mutating func set(_ setting: Setting, _ text: String?, _ origin: SettingOrigin) throws(SettingError) {
        guard let text else { return }
        try setting.set(text, in: &values, from: origin)
        origins[setting.name] = origin
    }
}

/// The configuration file: one JSON object with the names of settings as keys.
private enum SettingsFile {
    /// A value in the file.
    enum Value: Decodable {
        case text(String)
        case list([String])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self = .text("\(flag)")
            } else if let number = try? container.decode(Int.self) {
                self = .text("\(number)")
            } else if let text = try? container.decode(String.self) {
                self = .text(text)
            } else {
                self = .list(try container.decode([String].self))
            }
        }
    }

    /// The texts of the settings in a file.
    static func read(_ file: URL) throws(SettingError) -> [String: String] {
        let bytes = try SettingError.wrapping { () throws(FileError) in try readFile(file) }
        let name = file.lastPathComponent
        let values: [String: Value]
        do { values = try JSONDecoder().decode([String: Value].self, from: Data(bytes)) } catch {
            throw SettingError("\(name): \(reason(error))", .badData)
        }
        var texts: [String: String] = [:]
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            guard let setting = Setting.named(key) else { throw SettingError("\(name): there is no setting '\(key)'") }
            guard !setting.isSecret else {
                throw SettingError(
                    "\(name): \(key): secrets are taken from the environment only, as \(setting.variable)")
            }
            switch value {
            case .text(let text): texts[key] = text
            case .list(let parts):
                if let part = parts.first(where: { $0.contains(",") }) {
                    throw SettingError("\(name): \(key): '\(part)' contains a comma")
                }
                texts[key] = parts.joined(separator: ",")
            }
        }
        return texts
    }

    private static func reason(_ error: any Error) -> String {
        if case DecodingError.typeMismatch(_, let context) = error, let key = context.codingPath.first?.stringValue {
            return "\(key): expected a text, a whole number, true, false or a list of texts"
        }
        return "expected one JSON object"
    }
}
