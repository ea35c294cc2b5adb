import Events
import Identifiers
import Serving
import Synchronization

/// What programs have said about items, in memory, as filters need it. The log has it, too.
final class Annotations: Sendable {
    private let contents = Mutex(Contents())

    fileprivate struct Contents {
        var notes: [RawID: ItemAnnotation] = [:]
        var filters: [ReleaseFilters] = []
    }

    /// The filters of a release, for as long as it is there: also for the last questions to one that is being replaced.
    fileprivate struct ReleaseFilters {
        weak var release: Release?
        var filters: ItemFilters
    }

    /// Reads all of them from a log.
    init(_ log: any EventLog, for release: Release) throws(EventLogError) {
        var last: RawID?
        while true {
            let page = try log.annotations(after: last, limit: Self.slice)
            contents.withLock { for (item, note) in page { $0.notes[item] = note } }
            guard let end = page.last else { break }
            last = end.item
        }
        prepare(for: release)
    }

    /// Annotations that are read, or looked up in a vocabulary, while others wait.
    private static let slice = 1000

    /// What has been said about an item.
    subscript(_ item: RawID) -> ItemAnnotation? { contents.withLock { $0.notes[item] } }

    /// The titles that have been given to items; nil where none was.
    func titles(of items: [RawID]) -> [String?] {
        contents.withLock { contents in items.map { contents.notes[$0]?.title } }
    }

    /// Items with annotations, by the bytes of their ids.
    var items: [RawID] { contents.withLock { $0.notes.keys.sorted() } }

    /// What has been said about all items.
    var all: [RawID: ItemAnnotation] { contents.withLock { $0.notes } }

    /// Takes note of what is in the log already; visible to all requests that come later.
    func set(_ items: [AnnotatedItem]) {
        contents.withLock { contents in for each in items { contents.set(each.item, each.annotation) } }
    }

    /// Makes the filters of a release, before it answers. Others are served meanwhile, and may annotate.
    func prepare(for release: Release) {
        let items = contents.withLock { contents in
            contents.filters.removeAll { $0.release == nil }
            let filters = ItemFilters(rowCount: release.catalogue.items.count)
            contents.filters.append(ReleaseFilters(release: release, filters: filters))
            return Array(contents.notes.keys)
        }
        for start in stride(from: 0, to: items.count, by: Self.slice) {
            contents.withLock { contents in
                for item in items[start..<min(start + Self.slice, items.count)] {
                    // What has been said since then stands there already; saying it twice changes nothing.
                    guard let note = contents.notes[item], let row = release.item(item)?.row else { continue }
                    contents.filters[contents.index(of: release)].filters.add(note, Int32(row))
                }
            }
        }
    }

    /// The filters of a release that was made ready, as they are now. O(1).
    func filters(for release: Release) -> ItemFilters {
        contents.withLock { $0.filters[$0.index(of: release)].filters }
    }
}

extension Annotations.Contents {
    fileprivate func index(of release: Release) -> Int {
        guard let index = filters.firstIndex(where: { $0.release === release }) else {
            preconditionFailure("the filters of a release are made before it answers")
        }
        return index
    }

    fileprivate mutating func set(_ item: RawID, _ note: ItemAnnotation?) {
        let before = notes[item]
        notes[item] = note
        for index in filters.indices {
            guard let row = filters[index].release?.item(item)?.row else { continue }
            if let before { filters[index].filters.remove(before, Int32(row)) }
            if let note { filters[index].filters.add(note, Int32(row)) }
        }
    }
}
