import Foundation
import Identifiers
import Models
import SwiftProtobuf

/// What a program has to know of an exported model, by key: the metadata of both models, and the content of `onnx.json`.
struct OnnxDescription {
    /// Raised where a key changes its meaning.
    static let format = 1

    /// Values as JSON.
    let entries: [(key: String, json: String)]

    init(_ model: SequenceModel, items: Vocabulary, mark: String, version: String) {
        let ids = Array(items.ids)
        var entries = [
            ("format", json(Self.format)), ("version", json(version)), ("mark", json(mark)),
            ("configuration", json(model.configuration)), ("state", json(StateLayout(model.configuration).parts)),
            ("initial_state", json(model.onnxInitialState)), ("items", json(ids)),
        ]
        if !items.titles.isEmpty { entries.append(("titles", json(items.titles))) }
        self.entries = entries
    }

    /// One JSON object.
    var text: String { "{\n" + entries.map { "\"\($0.key)\": \($0.json)" }.joined(separator: ",\n") + "\n}\n" }

    /// As metadata of a model: texts stand there without quotes.
    var metadata: [Onnx_StringStringEntryProto] {
        entries.map { key, json in
            let isText = json.hasPrefix("\"")
            return .with { ($0.key, $0.value) = (key, isText ? String(json.dropFirst().dropLast()) : json) }
        }
    }
}

/// JSON of a value that always has one: numbers that are finite, texts and lists of them.
private func json(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try! encoder.encode(value), as: UTF8.self)
}
