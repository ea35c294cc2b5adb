import CRecBLR
import ErrorSupport
import Foundation

/// Settings that are given as a JSON object, and none of whose keys is needed.
protocol Settings: Decodable {
    associatedtype Key: CodingKey & CaseIterable
}

extension recblr_text {
    /// The settings of a JSON object; an empty text is an empty object. Throws where it is something else, or has other keys.
    func settings<Value: Settings>(_ name: String, _: Value.Type = Value.self) throws(CallError) -> Value {
        let text = try string(name)
        let data = Data((text.isEmpty ? "{}" : text).utf8)
        guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw CallError(.usage, "\(name): expected a JSON object")
        }
        let known = Value.Key.allCases.map(\.stringValue)
        if let other = object.keys.filter({ !known.contains($0) }).min() {
            throw CallError(
                .usage, "\(name): there is no setting '\(other)', only \(known.sorted().joined(separator: ", "))")
        }
        if let value = try? JSONDecoder().decode(Value.self, from: data) { return value }
        throw CallError(.usage, "\(name): " + Self.reason(object, Value.self))
    }

    /// Which setting is not what it should be: each is tried alone, since none needs another.
    private static func reason<Value: Settings>(_ object: [String: Any], _: Value.Type) -> String {
        for (key, value) in object.sorted(by: { $0.key < $1.key }) {
            let alone = try? JSONSerialization.data(withJSONObject: [key: value])
            guard let alone, (try? JSONDecoder().decode(Value.self, from: alone)) == nil else { continue }
            let text = String(decoding: alone, as: UTF8.self)
            return text.utf8.count > 100 ? "\(key) has a value that it cannot have" : "\(text) cannot be"
        }
        return "they cannot be together"
    }
}
