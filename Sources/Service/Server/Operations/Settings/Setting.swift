import Foundation

/// One setting of the service: its name, which is that of the flag and of the key in the file, and what it means.
public struct Setting: Sendable {
    /// The name: `state-memory`.
    public let name: String
    /// One sentence for people.
    public let help: String
    /// What stands for the value in a help text; nil where the setting is on or off.
    public let placeholder: String?
    /// Whether its value is a secret, which is taken from the environment only: command lines and files are read by others.
    public let isSecret: Bool
    private let assign: @Sendable (String, inout ServiceSettings) -> Bool
    private let show: @Sendable (ServiceSettings) -> String
    private let expectation: String

    /// A setting that is stored at `path`.
    init<Value>(
        _ name: String, _ form: SettingForm<Value>, _ path: any WritableKeyPath<ServiceSettings, Value> & Sendable,
        isSecret: Bool = false, _ help: String
    ) {
        (self.name, self.help, self.isSecret) = (name, help, isSecret)
        (placeholder, expectation) = (form.placeholder, form.expectation)
        show = { form.text($0[keyPath: path]) }
        assign = { text, settings in
            guard let value = form.parse(text) else { return false }
            settings[keyPath: path] = value
            return true
        }
    }

    /// The environment variable that gives it.
    public var variable: String { Self.prefix + name.uppercased().replacing("-", with: "_") }

    /// What the variables of all settings begin with.
    public static let prefix = "RECBLR_SERVE_"

    /// The value as it would be written; nil where there is none. Secrets are not shown.
    public func text(_ settings: ServiceSettings) -> String? {
        let text = show(settings)
        return text.isEmpty ? nil : isSecret ? "(secret)" : text
    }

    /// Sets the value. Throws where the text is none.
    func set(_ text: String, in settings: inout ServiceSettings, from origin: SettingOrigin) throws(SettingError) {
        guard assign(text, &settings) else {
            throw SettingError("\(origin.place(self)): \(isSecret ? "it" : "'\(text)'") is not \(expectation)")
        }
    }

    /// The setting with this name; nil where there is none.
    public static func named(_ name: String) -> Setting? { all.first { $0.name == name } }
}

/// How values of one type are read and written.
struct SettingForm<Value: Sendable>: Sendable {
    /// What stands for the value in a help text; nil where it is on or off.
    var placeholder: String?
    /// What the text should have been, for errors: "a number in 0 ... 10".
    var expectation: String
    /// The value of a text; nil where it is none.
    var parse: @Sendable (String) -> Value?
    /// The text of a value; empty where there is nothing.
    var text: @Sendable (Value) -> String
}

extension SettingForm<Bool> {
    static let flag = SettingForm(
        placeholder: nil, expectation: "true or false", parse: { Bool($0) }, text: { $0 ? "true" : "false" })
}

extension SettingForm<Int> {
    static func number(in range: ClosedRange<Int>) -> SettingForm {
        SettingForm(
            placeholder: "number", expectation: "a number in \(range.lowerBound) ... \(range.upperBound)",
            parse: { Int($0).flatMap { range.contains($0) ? $0 : nil } }, text: { "\($0)" })
    }

    /// A number of bytes with a unit: 512MB, 1GiB.
    static func bytes(atLeast least: Int) -> SettingForm {
        SettingForm(
            placeholder: "size", expectation: "a size of at least \(sizeText(least)) such as 512MB or 2GiB",
            parse: { text in parsedSize(text).flatMap { $0 >= least ? $0 : nil } }, text: sizeText)
    }
}

extension SettingForm<Duration> {
    /// 500ms, 30s, 5min; a day at most.
    static func duration(atLeast least: Duration) -> SettingForm {
        let range = least...(.seconds(86_400))
        return SettingForm(
            placeholder: "time",
            expectation: "a time in \(durationText(range.lowerBound)) ... \(durationText(range.upperBound))"
                + " such as 500ms, 30s or 5min",
            parse: { text in parsedDuration(text).flatMap { range.contains($0) ? $0 : nil } }, text: durationText)
    }
}

extension SettingForm<String> {
    static func text(_ placeholder: String) -> SettingForm {
        SettingForm(
            placeholder: placeholder, expectation: "a \(placeholder): it is empty",
            parse: { $0.allSatisfy(\.isWhitespace) ? nil : $0 }, text: { $0 })
    }

    /// A client's key.
    static let key = SettingForm(
        placeholder: "key", expectation: "a key without spaces",
        parse: { AccessKeys.isKey($0) ? $0 : nil }, text: { $0 })
}

extension SettingForm<[String]> {
    /// Texts with commas between them, each of which `isPart`.
    static func list(
        _ placeholder: String, of expectation: String? = nil,
        where isPart: @escaping @Sendable (String) -> Bool = { _ in true }
    ) -> SettingForm {
        SettingForm(
            placeholder: placeholder,
            expectation: "a list with commas between its parts" + (expectation.map { ", which are \($0)" } ?? ""),
            parse: { text in
                let parts = text.split(separator: ",", omittingEmptySubsequences: false).map {
                    String($0).trimmingCharacters(in: .whitespaces)
                }
                return parts.allSatisfy { !$0.isEmpty && isPart($0) } ? parts : nil
            }, text: { $0.joined(separator: ",") })
    }
}

extension SettingForm where Value: RawRepresentable<String> & CaseIterable {
    /// One of some words.
    static var choice: SettingForm {
        let words = Value.allCases.map(\.rawValue)
        return SettingForm(
            placeholder: words.joined(separator: "|"), expectation: "one of " + words.joined(separator: ", "),
            parse: { Value(rawValue: $0) }, text: { $0.rawValue })
    }
}

extension SettingForm {
    /// The same where there may be nothing.
    static func optional<Wrapped>(_ form: SettingForm<Wrapped>) -> SettingForm where Value == Wrapped? {
        SettingForm(
            placeholder: form.placeholder, expectation: form.expectation,
            parse: { text in form.parse(text).map(Optional.some) }, text: { $0.map(form.text) ?? "" })
    }
}

private let sizeUnits = [
    "B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000,
    "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40,
]

private func parsedSize(_ text: String) -> Int? {
    let digits = text.prefix(while: \.isNumber)
    let unit = text.dropFirst(digits.count).trimmingCharacters(in: .whitespaces).uppercased()
    guard let number = Int(digits), let factor = unit.isEmpty ? 1 : sizeUnits[unit] else { return nil }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow || bytes == 0 ? nil : bytes
}

/// With the largest unit that leaves no rest.
private func sizeText(_ bytes: Int) -> String {
    let unit = ["GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10].sorted { $0.value > $1.value }.first {
        bytes % $0.value == 0
    }
    return unit.map { "\(bytes / $0.value)\($0.key)" } ?? "\(bytes)"
}

/// With the largest unit that leaves no rest.
private func durationText(_ duration: Duration) -> String {
    let milliseconds = Int((duration / .milliseconds(1)).rounded())
    if milliseconds % 1_000 != 0 { return "\(milliseconds)ms" }
    return milliseconds >= 60_000 && milliseconds % 60_000 == 0
        ? "\(milliseconds / 60_000)min" : "\(milliseconds / 1_000)s"
}

private func parsedDuration(_ text: String) -> Duration? {
    let digits = text.prefix { $0.isNumber || $0 == "." }
    guard let number = Double(digits), number < 1e9 else { return nil }
    switch text.dropFirst(digits.count).trimmingCharacters(in: .whitespaces) {
    case "ms": return .milliseconds(number)
    case "s", "": return .seconds(number)
    case "min": return .seconds(60 * number)
    default: return nil
    }
}
