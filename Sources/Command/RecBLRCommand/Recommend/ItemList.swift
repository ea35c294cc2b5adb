import ErrorSupport
import FileSupport
import Foundation
import Identifiers
import Report
import Serving

/// The items in the values of an option, in order. A value that is an item's id is that item; any other is split at commas.
struct ItemList {
    private(set) var known: [ItemID] = []
    private(set) var unknown: [String] = []

    init(_ values: [String], _ items: Vocabulary) {
        for value in values {
            if let item = items.item(of: value) {
                known.append(item)
                continue
            }
            for part in value.split(separator: ",").map({ $0.trimmingCharacters(in: .whitespaces) }) where !part.isEmpty
            {
                if let item = items.item(of: part) { known.append(item) } else { unknown.append(part) }
            }
        }
    }
}

extension ChoiceOptions {
    /// The choice in a model's items. Prints a note about unknown items; throws where `--only` has no known item.
    func choice(_ items: Vocabulary) throws -> Recommender.Choice {
        var choice = Recommender.Choice()
        choice.excludesSeen = excludeSeen
        let (excluded, only) = (ItemList(exclude, items), ItemList(self.only, items))
        choice.excluded = excluded.known
        if !self.only.isEmpty {
            guard !(only.known.isEmpty && only.unknown.isEmpty) else { throw fail(.usage, "--only names no item") }
            guard !only.known.isEmpty else {
                throw fail(.badData, "--only: the model knows none of these items (\(examples(only.unknown)))")
            }
            choice.only = only.known
        }
        for (name, unknown) in [("--exclude", excluded.unknown), ("--only", only.unknown)] where !unknown.isEmpty {
            printError("recblr: note: \(name): skipped what the model does not know (\(examples(unknown)))")
        }
        return choice
    }
}

/// The first three of a list, and the number of the others.
func examples(_ ids: [String]) -> String {
    printable(ids.prefix(3).joined(separator: ", ")) + (ids.count > 3 ? " and \(grouped(ids.count - 3)) more" : "")
}

extension Vocabulary {
    /// The item with this id; nil where there is none. Composed and decomposed accents are equal.
    func item(of id: UnsafeRawBufferPointer) -> ItemID? {
        if let position = position(of: id) { return ItemID(row: position) }
        guard id.contains(where: { $0 >= 0x80 }) else { return nil }
        let text = String(decoding: id, as: UTF8.self)
        let position =
            position(of: text.precomposedStringWithCanonicalMapping)
            ?? position(of: text.decomposedStringWithCanonicalMapping)
        return position.map(ItemID.init(row:))
    }

    func item(of id: String) -> ItemID? {
        var id = id
        return id.withUTF8 { item(of: UnsafeRawBufferPointer($0)) }
    }

    /// The only item whose title is, or contains, a text.
    func item(ofTitle title: String) throws -> ItemID {
        let exact = positions(ofTitle: title)
        if exact.count == 1 { return ItemID(row: exact[0]) }
        let like = titles.indices.filter { titles[$0].localizedCaseInsensitiveContains(title) }
        if exact.isEmpty, like.count == 1 { return ItemID(row: like[0]) }
        let found = (exact.isEmpty ? like : exact).prefix(5).map { printable("\(ids[$0]) (\(titles[$0]))") }
        let hint = found.isEmpty ? "no title is like it" : "it may mean \(found.joined(separator: ", ")): use --history"
        throw fail(.badData, "the title '\(printable(title))' names no single item; \(hint)")
    }
}
