import Events
import Hummingbird
import Identifiers
import Live

/// Gorse's items: annotations of items, those of the model among them, which need not be inserted. A deleted item is hidden, and not shown.
struct GorseItemRoutes {
    let service: LiveService

    func add(to router: Router<ServerContext>) {
        router.post("/api/item") { request, _ in
            let item = try JSONReader.read(await request.jsonBody()) { (reader) throws(Problem) in
                try GorseItem(&reader)
            }
            return try await insert([item])
        }
        router.post("/api/items") { request, _ in
            let items = try JSONReader.read(await request.jsonBody()) { (reader) throws(Problem) in
                var items: [GorseItem] = []
                try reader.array(limit: Limits.items) { (reader) throws(Problem) in
                    items.append(try GorseItem(&reader))
                }
                return items
            }
            return try await insert(items)
        }
        router.get("/api/items", use: list)
        router.get("/api/item/{item}", use: get)
        router.patch("/api/item/{item}", use: patch)
        router.delete("/api/item/{item}", use: delete)
        router.put("/api/item/{item}/category/{category}") { request, context in
            try await change(context) { categories, category in
                if !categories.contains(category) { categories.append(category) }
            }
        }
        router.delete("/api/item/{item}/category/{category}") { request, context in
            try await change(context) { categories, category in categories.removeAll { $0 == category } }
        }
    }

    private func insert(_ items: [GorseItem]) async throws -> Response {
        guard !items.isEmpty else { return .rowsAffected(0) }
        var annotated: [(RawID, ItemAnnotation)] = []
        for var item in items {
            item.note.title = try await view(item.id)?.annotation?.title
            annotated.append((item.id, item.note))
        }
        try await service.annotate(annotated)
        return .rowsAffected(items.count)
    }

    private func get(_ request: Request, _ context: ServerContext) async throws -> Response {
        let item = try await item(context.id("item"))
        return .json { item.write(to: &$0) }
    }

    private func patch(_ request: Request, _ context: ServerContext) async throws -> Response {
        let id = try context.id("item")
        var item = GorseItem(id)
        do { item = try await self.item(id) } catch ServiceError.notFound {}
        try JSONReader.read(await request.jsonBody()) { (reader) throws(Problem) in try item.change(&reader) }
        try await service.annotate([(id, item.note)])
        return .rowsAffected(1)
    }

    private func change(
        _ context: ServerContext, _ body: (inout [String], String) -> Void
    ) async throws -> Response {
        let category = try context.id("category").text
        var item = try await item(context.id("item"))
        body(&item.note.categories, category)
        try await service.annotate([(item.id, item.note)])
        return .rowsAffected(1)
    }

    /// Hides the item, also where nobody has heard of it: a later model may know it.
    private func delete(_ request: Request, _ context: ServerContext) async throws -> Response {
        let id = try context.id("item")
        let title = try await view(id)?.annotation?.title
        try await service.annotate([(id, GorseItem.deletion(title: title))])
        return .rowsAffected(1)
    }

    private func list(_ request: Request, _ context: ServerContext) async throws -> Response {
        var query = try Query(request)
        let (count, after) = try query.goPage(Cursor.item)
        if let text = try query.goOne("q") {
            guard text.utf8.count <= Limits.title else { throw Problem(field: "q", "is too long") }
            return page(try await service.items(matching: text, limit: count).compactMap(GorseItem.init), count)
        }
        var (items, last) = ([GorseItem](), after)
        while items.count <= count {
            let limit = count + 1 - items.count
            let views = try await service.items(after: last, limit: limit)
            items += views.compactMap(GorseItem.init)
            guard views.count == limit else { break }
            last = views.last?.item
        }
        return page(items, count)
    }

    /// Up to `count` items, and a cursor where there are more.
    private func page(_ items: [GorseItem], _ count: Int) -> Response {
        .json(capacity: 64 + 128 * items.count) { json in
            json.member("Cursor", items.count > count ? Cursor.text(after: items[count - 1].id) : "")
            json.key("Items")
            json.array { json in
                for item in items.prefix(count) { json.object { item.write(to: &$0) } }
            }
        }
    }

    private func item(_ id: RawID) async throws -> GorseItem {
        guard let view = try await view(id), let item = GorseItem(view) else {
            throw ServiceError.notFound("such item")
        }
        return item
    }

    private func view(_ id: RawID) async throws -> ItemView? {
        do { return try await service.item(id) } catch ServiceError.notFound { return nil }
    }
}

/// An item as Gorse knows it. Its annotation has a comment, though it may be empty: this tells items that are hidden from items that are
/// deleted.
private struct GorseItem {
    var id: RawID
    var note = ItemAnnotation(comment: "")

    /// What a deletion leaves.
    static func deletion(title: String?) -> ItemAnnotation { ItemAnnotation(title: title, isHidden: true) }

    /// An item of which nothing has been said.
    init(_ id: RawID) { self.id = id }

    /// An item of the service; nil where it was deleted.
    init?(_ view: ItemView) {
        id = view.item
        guard let note = view.annotation else {
            self.note.comment = view.title ?? ""
            return
        }
        guard !(note.isHidden && note.comment == nil) else { return nil }
        self.note = note
        self.note.comment = note.comment ?? view.title ?? ""
    }

    /// Reads an item from a request.
    init(_ reader: inout JSONReader) throws(Problem) {
        self.init("")
        var named = id
        try change(&reader, &named)
        id = named
        guard !id.text.isEmpty else { throw reader.problem("is missing", at: "ItemId") }
    }

    /// Changes what an object has, and leaves the rest.
    mutating func change(_ reader: inout JSONReader) throws(Problem) {
        var ignored: RawID = ""
        try change(&reader, &ignored)
    }

    private mutating func change(_ reader: inout JSONReader, _ id: inout RawID) throws(Problem) {
        var (note, named) = (note, id)
        try reader.goObject { (key, reader) throws(Problem) in
            switch key {
            case "itemid": named = try reader.id()
            case "ishidden": note.isHidden = try reader.boolean()
            case "categories":
                note.categories = []
                try reader.array(limit: Limits.categories) { (reader) throws(Problem) in
                    note.categories.append(try reader.idText())
                }
            case "timestamp": note.time = try reader.goTime()
            case "labels": note.labels = try reader.any()
            case "comment": note.comment = try reader.string()
            default: return false
            }
            return true
        }
        (self.note, id) = (note, named)
    }

    func write(to json: inout JSONWriter) {
        json.member("ItemId", id)
        json.member("IsHidden", note.isHidden)
        json.key("Categories")
        json.array { json in note.categories.forEach { json.string($0) } }
        json.member("Timestamp", goTime: note.time)
        json.member("Labels", json: note.labels)
        json.member("Comment", note.comment ?? "")
    }
}
