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
                try reader.gorseItem()
            }
            return try await insert([item])
        }
        router.post("/api/items") { request, _ in
            let items = try JSONReader.read(await request.jsonBody()) { (reader) throws(Problem) in
                try reader.array(limit: Limits.items) { (reader) throws(Problem) in try reader.gorseItem() }
            }
            return try await insert(items)
        }
        router.get("/api/items", use: list)
        router.get("/api/item/{item}", use: get)
        router.patch("/api/item/{item}", use: patch)
        router.delete("/api/item/{item}", use: delete)
        router.put("/api/item/{item}/category/{category}") { request, context in
            try await changeCategories(context) { categories, category in
                if !categories.contains(where: { RawID($0) == RawID(category) }) { categories.append(category) }
            }
        }
        router.delete("/api/item/{item}/category/{category}") { request, context in
            try await changeCategories(context) { categories, category in
                categories.removeAll { RawID($0) == RawID(category) }
            }
        }
    }

    /// Replaces all that has been said but the title, which Gorse's clients do not know.
    private func insert(_ items: [(id: RawID, edit: GorseItemEdit)]) async throws -> Response {
        guard !items.isEmpty else { return .rowsAffected(0) }
        let changes = items.map { id, edit in
            AnnotationChange(id) { edit.apply(to: ItemAnnotation(title: $0?.title, comment: "")) }
        }
        try await service.annotate(changes)
        return .rowsAffected(items.count)
    }

    private func get(_ request: Request, _ context: ServerContext) async throws -> Response {
        let item = try await item(context.id("item"))
        return .json { item.write(to: &$0) }
    }

    private func patch(_ request: Request, _ context: ServerContext) async throws -> Response {
        let id = try context.id("item")
        let edit = try JSONReader.read(await request.jsonBody()) { (reader) throws(Problem) in
            try GorseItemEdit(&reader)
        }
        return try await change(id) { edit.apply(to: $0 ?? ItemAnnotation(comment: "")) }
    }

    private func changeCategories(
        _ context: ServerContext, _ body: @escaping @Sendable (inout [String], String) -> Void
    ) async throws -> Response {
        let (id, category) = (try context.id("item"), try context.id("category").text)
        _ = try await item(id)
        return try await change(id) { note in
            guard var note else { return nil }
            body(&note.categories, category)
            return note
        }
    }

    /// Changes what Gorse's clients have said about an item. `body` gets nil where they have deleted it, and returns nil to leave it so. The title
    /// stays.
    private func change(
        _ id: RawID, _ body: @escaping @Sendable (ItemAnnotation?) -> ItemAnnotation?
    ) async throws -> Response {
        let title = try await view(id)?.title
        let change = AnnotationChange(id) { before in
            guard var note = body(before.gorse(title: title)) else { return before }
            note.title = before?.title
            return note
        }
        try await service.annotate([change])
        return .rowsAffected(1)
    }

    /// Hides the item, also where nobody has heard of it: a later model may know it.
    private func delete(_ request: Request, _ context: ServerContext) async throws -> Response {
        let id = try context.id("item")
        try await service.annotate([AnnotationChange(id) { ItemAnnotation(title: $0?.title, isHidden: true) }])
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

/// An item as Gorse knows it.
private struct GorseItem {
    var id: RawID
    var note: ItemAnnotation

    /// An item of the service; nil where it was deleted.
    init?(_ view: ItemView) {
        guard let note = view.annotation.gorse(title: view.title) else { return nil }
        (id, self.note) = (view.item, note)
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

extension ItemAnnotation? {
    /// What Gorse's clients have said about an item of this title; nil where they have deleted it. It has a comment, though it may be empty: this
    /// tells items that are hidden from items that are deleted.
    fileprivate func gorse(title: String?) -> ItemAnnotation? {
        guard var note = self else { return ItemAnnotation(comment: title ?? "") }
        guard !(note.isHidden && note.comment == nil) else { return nil }
        note.comment = note.comment ?? note.title ?? title ?? ""
        return note
    }
}

/// What a body says about an item: one change for each member.
private struct GorseItemEdit {
    /// The item that the body names.
    private(set) var item: RawID?
    private var changes: [@Sendable (inout ItemAnnotation) -> Void] = []

    init(_ reader: inout JSONReader) throws(Problem) {
        try reader.goObject { (key, reader) throws(Problem) in
            switch key {
            case "itemid": item = try reader.id()
            case "ishidden": set(\.isHidden, try reader.boolean())
            case "categories": set(\.categories, try reader.categories())
            case "timestamp": set(\.time, try reader.goTime())
            case "labels": set(\.labels, try reader.any())
            case "comment": set(\.comment, try reader.string())
            default: return false
            }
            return true
        }
    }

    private mutating func set<Value: Sendable>(
        _ member: WritableKeyPath<ItemAnnotation, Value> & Sendable, _ value: Value
    ) {
        changes.append { $0[keyPath: member] = value }
    }

    func apply(to note: ItemAnnotation) -> ItemAnnotation {
        changes.reduce(into: note) { $1(&$0) }
    }
}

extension JSONReader {
    /// What is said about an item that is named, as it must be.
    fileprivate mutating func gorseItem() throws(Problem) -> (id: RawID, edit: GorseItemEdit) {
        let edit = try GorseItemEdit(&self)
        guard let id = edit.item else { throw problem("is missing", at: "ItemId") }
        return (id, edit)
    }
}
