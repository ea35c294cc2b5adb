public import Events
import Foundation
public import Identifiers
import Serving

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

    /// Up to `limit` items whose title, id or comment contains `text`, upper and lower case alike: the most popular first, then annotated ones
    /// that the model does not know.
    public func items(matching text: String, limit: Int) async throws(ServiceError) -> [ItemView] {
        let release = release
        return try await read { [self] () throws(EventLogError) in
            let items = release.catalogue.items
            func contains(_ whole: String?) -> Bool {
                let options: String.CompareOptions = [.caseInsensitive, .diacriticInsensitive]
                return whole?.range(of: text, options: options) != nil
            }
            func rows(_ items: [RawID]) -> Set<Int> { Set(items.compactMap { release.item($0)?.row }) }
            let annotated = annotations.items { contains($0.text) || contains($1.title) || contains($1.comment) }
            let (annotatedRows, titledRows) = (rows(annotated), rows(annotations.items { $1.title != nil }))
            func matches(_ row: Int) -> Bool {
                annotatedRows.contains(row) || contains(items.ids[row])
                    || !titledRows.contains(row) && contains(items.title(at: row))
            }
            let rows =
                release.catalogue.popularity?.best(limit) { matches($0.row) }.map(\.row)
                ?? Array((0..<items.count).lazy.filter(matches).prefix(limit))
            let unknown = annotated.filter { release.item($0) == nil }.prefix(limit - rows.count)
            return (rows.map { release.id(ItemID(row: $0)) } + unknown).map { view($0, release) }
        }
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
