import FileSupport
import Foundation
import Models

/// Versions of the layout of `config.json`: 2 added checksums of the folder's files and its own, 3 dropped a field.
private let configurationFormats = 1...3
/// Fields that files of earlier versions lack.
private let laterFields: Set = ["repeatAware", "transitions", "mixer", "attentionWindow", "usesTime"]

/// Fields of earlier versions that are ignored: whether the padding item took part in the softmax of training.
private let formerFields: Set = ["paddingInSoftmax"]

/// Keys that are not part of the configuration.
private let otherKeys: Set = ["format", "files", "checksum"]

/// Writes `config.json`: every field of the configuration, `format`, and checksums of the folder's other files, which must
/// be there.
func writeConfiguration(_ configuration: ModelConfiguration, in folder: URL) throws(ModelFileError) {
    let url = folder.appendingPathComponent(ModelFolder.File.configuration)
    let checksums = try withFileErrors { () throws(FileError) in try FileChecksums(ofFilesIn: folder) }
    guard var object = jsonObject(configuration), let files = jsonObject(checksums) else {
        throw .malformed(path: url.path, reason: "the configuration cannot be written as JSON")
    }
    object["format"] = configurationFormats.upperBound
    object["files"] = files
    object["checksum"] = SealedJSON.placeholder
    guard
        let text = try? JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
    else { throw .malformed(path: url.path, reason: "the configuration cannot be written as JSON") }
    try withFileErrors { () throws(FileError) in try writeFile(SealedJSON.seal(text + [0x0A]), to: url) }
}

/// Reads `config.json`: the configuration and the checksums of the folder's files, which version 0.3.0 did not write. All
/// fields must be there, but for later ones, and no others.
func readConfiguration(_ folder: FolderReader) throws(ModelFileError) -> (ModelConfiguration, FileChecksums?) {
    let path = folder.url.appendingPathComponent(ModelFolder.File.configuration).path
    let file = try withFileErrors { () throws(FileError) in try folder.file(ModelFolder.File.configuration) }
    let bytes = file.copy()
    func malformed(_ reason: String) -> ModelFileError { .malformed(path: path, reason: reason) }
    guard var object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
        throw malformed("expected a JSON object")
    }
    guard let format = object["format"] as? Int, configurationFormats.contains(format) else {
        throw malformed("expected \"format\": 1, 2 or 3; a newer program may have written it")
    }
    if format < 3 { for field in formerFields { object[field] = nil } }
    let expected = Set((jsonObject(ModelConfiguration(itemCount: 1)) ?? [:]).keys).union(otherKeys)
    if let unknown = object.keys.filter({ !expected.contains($0) }).min() { throw malformed("unknown key \(unknown)") }
    let needed = expected.subtracting(laterFields).subtracting(format == 1 ? ["files", "checksum"] : [])
    if let missing = needed.filter({ object[$0] == nil }).min() { throw malformed("the key \(missing) is missing") }
    let configuration: ModelConfiguration = try decode(object, malformed)
    do { try configuration.validate() } catch { throw .configuration(path: path, error) }
    if format == 1 { return (configuration, nil) }
    guard SealedJSON.isIntact(bytes) else {
        throw malformed("it is not as it was written: its checksum does not fit")
    }
    return (configuration, try decode(object["files"] ?? [:], malformed))
}

private func decode<Value: Decodable>(
    _ object: Any, _ malformed: (String) -> ModelFileError
) throws(ModelFileError) -> Value {
    do {
        return try JSONDecoder().decode(
            Value.self, from: try JSONSerialization.data(withJSONObject: object))
    } catch DecodingError.typeMismatch(_, let context), DecodingError.dataCorrupted(let context) {
        let key = context.codingPath.map(\.stringValue).joined(separator: ".")
        throw malformed("the value of \(key) is not of the right kind")
    } catch {
        throw malformed("a value is not of the right kind")
    }
}

private func jsonObject(_ value: some Encodable) -> [String: Any]? {
    guard let data = try? JSONEncoder().encode(value) else { return nil }
    return try? JSONSerialization.jsonObject(with: data) as? [String: Any]
}
