import HTTPTypes
import Hummingbird
import NIOCore

/// Bounds of what a request may hold.
enum Limits {
    /// Bytes of a body.
    static let body = 8 << 20
    /// Events in a body.
    static let events = 10_000
    /// Users in a batch.
    static let users = 1_000
    /// Items in a body.
    static let items = 10_000
    /// Items of a recommendation.
    static let count = 1_000
    /// Items to leave out or to choose from, in a body.
    static let choices = 10_000
    /// The same in a query.
    static let queryChoices = 1_000
    /// Categories to choose from, or of an item.
    static let categories = 100
    /// Bytes of a title.
    static let title = 1_024
    /// Rows of a page.
    static let page = 1_000
}

extension Request {
    /// The body of a request whose content is JSON, of at most ``Limits/body`` bytes.
    func jsonBody() async throws -> [UInt8] {
        try checkIsJSON()
        let isTooLong = Problem(.contentTooLarge, "the body has more than \(Limits.body) bytes")
        if let length = headers[.contentLength].flatMap(Int.init), length > Limits.body { throw isTooLong }
        do {
            let bytes = [UInt8](buffer: try await body.collect(upTo: Limits.body))
            guard !bytes.isEmpty else { throw Problem(.badRequest, "the body is empty") }
            return bytes
        } catch is NIOTooManyBytesError {
            throw isTooLong
        }
    }

    private func checkIsJSON() throws(Problem) {
        let type = headers[.contentType] ?? ""
        if type != "application/json" {
            let parts = type.lowercased().split(separator: ";").map {
                $0.filter { $0 != " " && $0 != "\t" && $0 != "\"" }
            }
            guard parts.first == "application/json", parts.dropFirst().allSatisfy({ $0 == "charset=utf-8" }) else {
                throw Problem(.unsupportedMediaType, "the content type must be application/json, in UTF-8")
            }
        }
        guard headers[.contentEncoding].map({ $0.lowercased() == "identity" }) ?? true else {
            throw Problem(.unsupportedMediaType, "the body must not be compressed")
        }
    }
}
