import Events
import Hummingbird
import Identifiers
import Live

/// Items: what programs say about them.
struct ItemRoutes {
    let service: LiveService

    func add(to router: Router<ServerContext>) {
        router.get("/v1/items", use: list)
        router.post("/v1/items", use: putMany)
        router.get("/v1/items/{item}", use: get)
        router.put("/v1/items/{item}", use: put)
        router.delete("/v1/items/{item}", use: hide)
    }

    private func get(_ request: Request, _ context: ServerContext) async throws -> Response {
        let item = try context.id("item")
        try Query(request).finish()
        let view = try await service.item(item)
        return .json { $0.itemMembers(view) }
    }

    private func put(_ request: Request, _ context: ServerContext) async throws -> Response {
        let item = try context.id("item")
        try Query(request).finish()
        let change = try JSONReader.read(await request.jsonBody()) { (reader) throws(Problem) in
            try reader.annotation(of: item)
        }
        try await service.annotate([change])
        let view = try await service.item(item)
        return .json { $0.itemMembers(view) }
    }

    private func putMany(_ request: Request, _ context: ServerContext) async throws -> Response {
        try Query(request).finish()
        let items = try JSONReader.read(await request.jsonBody()) { (reader) throws(Problem) in
            try reader.array(limit: Limits.items, name: "items") { (reader) throws(Problem) in
                try reader.annotation(of: nil)
            }
        }
        guard !items.isEmpty else { throw Problem(field: "items", "must not be empty") }
        try await service.annotate(items)
        return .json { $0.member("items", items.count) }
    }

    private func hide(_ request: Request, _ context: ServerContext) async throws -> Response {
        let item = try context.id("item")
        try Query(request).finish()
        try await service.hide(item)
        return .json { $0.member("hidden", true) }
    }

    private func list(_ request: Request, _ context: ServerContext) async throws -> Response {
        var query = try Query(request)
        let limit = try query.integer("limit", in: 1...Limits.page) ?? 100
        let text = try query.one("q")
        let after = try query.one("after").map { (text) throws(Problem) in
            guard let item = Cursor.item(text) else { throw Problem(field: "after", "is not a cursor of this list") }
            return item
        }
        try query.finish()
        if let text, !text.isEmpty {
            guard after == nil else { throw Problem(field: "after", "a search has one page") }
            guard text.utf8.count <= Limits.title else { throw Problem(field: "q", "is too long") }
            return .json(items: try await service.items(matching: text, limit: limit), limit: limit)
        }
        return .json(items: try await service.items(after: after, limit: limit + 1), limit: limit)
    }
}

extension Response {
    /// A page of up to `limit` items, and where the next one begins.
    fileprivate static func json(items: [ItemView], limit: Int) -> Response {
        .json(capacity: 64 + 96 * items.count) { json in
            json.key("items")
            json.array { json in
                for view in items.prefix(limit) { json.object { $0.itemMembers(view) } }
            }
            if items.count > limit { json.member("next", Cursor.text(after: items[limit - 1].item)) }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func itemMembers(_ view: ItemView) {
        member("item", view.item)
        if let title = view.title { member("title", title) }
        key("categories")
        array { json in view.annotation?.categories.forEach { json.string($0) } }
        member("hidden", view.annotation?.isHidden ?? false)
        member("known", view.isKnown)
    }
}

extension JSONReader {
    /// What is said about an item, which may be named but must not be another one; nil: it names its item. What only Gorse's clients say stays.
    fileprivate mutating func annotation(of expected: RawID?) throws(Problem) -> AnnotationChange {
        var (item, annotation) = (expected, ItemAnnotation())
        try object { (key, reader) throws(Problem) in
            switch key {
            case "item":
                item = try reader.id()
                guard expected == nil || item == expected else {
                    throw reader.problem("is not the item of the address")
                }
            case "title": annotation.title = try reader.title()
            case "categories": annotation.categories = try reader.categories()
            case "hidden": annotation.isHidden = try reader.boolean()
            default: throw reader.unknownField()
            }
        }
        guard let item else { throw problem("is missing", at: "item") }
        return AnnotationChange(item) { [annotation] before in
            var new = before ?? ItemAnnotation()
            (new.title, new.categories, new.isHidden) = (annotation.title, annotation.categories, annotation.isHidden)
            return new
        }
    }

    private mutating func title() throws(Problem) -> String {
        let title = try string()
        guard title.utf8.count <= Limits.title else { throw problem("has more than \(Limits.title) bytes") }
        guard !title.unicodeScalars.contains(where: IDRules.isControl) else { throw problem("has control characters") }
        return title
    }
}
