import FileSupport
import Foundation
import RecBLR

/// Version of the layout of `config.json`.
private let configurationFormat = 1
/// Fields that files of earlier programs lack, and what their absence means.
private let laterFields = ["repeatAware": false]

/// Writes `config.json`: every field of the configuration and `format`.
func writeConfiguration(_ configuration: Configuration, to url: URL) throws(ModelFileError) {
    guard var object = jsonObject(configuration) else {
        throw .malformed(path: url.path, reason: "the configuration cannot be written as JSON")
    }
    object["format"] = configurationFormat
    guard
        let text = try? JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
    else { throw .malformed(path: url.path, reason: "the configuration cannot be written as JSON") }
    try withFileErrors { () throws(FileError) in try writeFile(text + [0x0A], to: url) }
}

/// Reads `config.json`. All fields must be there, but for later ones, and no others.
func readConfiguration(_ url: URL) throws(ModelFileError) -> Configuration {
    let bytes = try withFileErrors { () throws(FileError) in try readFile(url) }
    func malformed(_ reason: String) -> ModelFileError { .malformed(path: url.path, reason: reason) }
    guard var object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
        throw malformed("expected a JSON object")
    }
    guard object["format"] as? Int == configurationFormat else {
        throw malformed("expected \"format\": \(configurationFormat); a newer program may have written it")
    }
    object.merge(laterFields as [String: Any]) { own, _ in own }
    let expected = Set((jsonObject(Configuration(itemCount: 1)) ?? [:]).keys).union(["format"])
    if let unknown = object.keys.filter({ !expected.contains($0) }).min() { throw malformed("unknown key \(unknown)") }
    if let missing = expected.filter({ object[$0] == nil }).min() { throw malformed("the key \(missing) is missing") }
    let configuration: Configuration
    do {
        let complete = try JSONSerialization.data(withJSONObject: object)
        configuration = try JSONDecoder().decode(Configuration.self, from: complete)
    } catch DecodingError.typeMismatch(_, let context), DecodingError.dataCorrupted(let context) {
        let key = context.codingPath.map(\.stringValue).joined(separator: ".")
        throw malformed("the value of \(key) is not of the right kind")
    } catch {
        throw malformed("a value is not of the right kind")
    }
    do { try configuration.validate() } catch { throw .configuration(path: url.path, error) }
    return configuration
}

private func jsonObject(_ configuration: Configuration) -> [String: Any]? {
    guard let data = try? JSONEncoder().encode(configuration) else { return nil }
    return try? JSONSerialization.jsonObject(with: data) as? [String: Any]
}
