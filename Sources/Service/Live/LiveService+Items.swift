public import Events
import Foundation
public import Identifiers
import Serving
import Tensors

/// Items: the model's vocabulary is the catalogue, and annotations are beside it.
extension LiveService {
    /// An item that the model knows or somebody annotated.
    public func item(_ item: RawID) async throws(ServiceError) -> ItemView {
        let view = view(item, release)
        guard view.isKnown || view.annotation != nil else { throw .notFound("such item") }
        return view
    }

    /// Up to `limit` items after `after`: those of the model, in its order, then annotated ones that it does not know.
    public func items(after: RawID?, limit: Int) async throws(ServiceError) -> [ItemView] {
        let release = release
        let count = release.catalogue.items.count
        let afterRow = after.flatMap { release.item($0)?.row }
        let first = after == nil ? 0 : afterRow.map { $0 + 1 } ?? count
        let known = (first..<min(count, first + limit)).map { view(release.id(ItemID(row: $0)), release) }
        if known.count == limit { return known }
        let unknown = annotations.items.filter { item in
            release.item(item) == nil && (afterRow != nil || after.map { $0 < item } ?? true)
        }
        return known + unknown.prefix(limit - known.count).map { view($0, release) }
    }

    /// Up to `limit` items whose title, id or comment contains `text`, upper and lower case and accents alike: the most popular first, then
    /// annotated ones that the model does not know.
    public func items(matching text: String, limit: Int) async throws(ServiceError) -> [ItemView] {
        let release = release
        return try await call(on: searches) { [self] () throws(EventLogError) in
            let (matches, unknown) = search(FoldedTexts.folded(text), release)
            let rows =
                release.catalogue.popularity?.best(limit) { matches.contains(Int32($0.row)) }.map(\.row)
                ?? Array((0..<matches.rowCount).lazy.filter { matches.contains(Int32($0)) }.prefix(limit))
            let items = rows.map { release.id(ItemID(row: $0)) } + unknown.sorted().prefix(limit - rows.count)
            return items.map { view($0, release) }
        }
    }

    /// The rows of a release whose id, title or annotation contains folded bytes, and annotated items of which that is true and which it does not
    /// know. The title of an annotation takes the place of the model's.
    private func search(_ part: [UInt8], _ release: Release) -> (rows: RowSet, unknown: [RawID]) {
        var (rows, unknown) = (RowSet(rowCount: release.catalogue.items.count), [RawID]())
        let texts = release.texts
        texts.titles.forEachRow(containing: part) { rows.insert(Int32($0)) }
        for (item, note) in annotations.all {
            let isFound = [item.text, note.title, note.comment].contains { FoldedTexts.contains(part, in: $0) }
            guard let row = release.item(item).map({ Int32($0.row) }) else {
                if isFound { unknown.append(item) }
                continue
            }
            if isFound { rows.insert(row) } else if note.title != nil { rows.remove(row) }
        }
        texts.ids.forEachRow(containing: part) { rows.insert(Int32($0)) }
        return (rows, unknown)
    }

    private func view(_ item: RawID, _ release: Release) -> ItemView {
        let (note, row) = (annotations[item], release.item(item)?.row)
        let title = note?.title ?? row.flatMap { release.catalogue.items.title(at: $0) }
        return ItemView(item: item, annotation: note, title: title, isKnown: row != nil)
    }

    /// Says something about items, about all or none.
    public func annotate(_ changes: [AnnotationChange]) async throws(ServiceError) {
        let deadline = try admit(writer.wait)
        let _: ChangeOutcome = try await reply { done in
            writer.add(.annotate(changes), deadline: deadline) { [self] result in
                if case .success(.annotated(let items)) = result { annotations.set(items) }
                done(result)
            }
        }
    }

    /// Hides an item until it is annotated again.
    public func hide(_ item: RawID) async throws(ServiceError) {
        _ = try await self.item(item)
        let change = AnnotationChange(item) { annotation in
            var annotation = annotation ?? ItemAnnotation()
            annotation.isHidden = true
            return annotation
        }
        try await annotate([change])
    }
}
