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
        do { return try JSONDecoder().decode(Value.self, from: data) } catch let error as DecodingError {
            throw CallError(.usage, "\(name): " + Self.reason(error))
        } catch { throw CallError(.usage, "\(name): \(error)") }
    }

    private static func reason(_ error: DecodingError) -> String {
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
            .dataCorrupted(let context):
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return (path.isEmpty ? "" : "\(path): ") + context.debugDescription
        @unknown default: return "\(error)"
        }
    }
}
