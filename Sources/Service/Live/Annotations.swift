import Events
import Identifiers
import Synchronization

/// What programs have said about items, in memory, as filters need it. The log has it, too.
final class Annotations: Sendable {
    private let notes: Mutex<[RawID: ItemAnnotation]>
    private let view: Mutex<View>

    /// Annotations by rows of one release's items.
    struct View: Sendable {
        var identity: String
        var hidden: Set<Int32> = []
        var categories: [String: Set<Int32>] = [:]
        var titles: [Int32: String] = [:]
    }

    /// Reads all of them from a log.
    init(_ log: any EventLog, for release: Release) throws(EventLogError) {
        var notes: [RawID: ItemAnnotation] = [:]
        var last: RawID?
        while true {
            let page = try log.annotations(after: last, limit: 1000)
            for (item, note) in page { notes[item] = note }
            guard let end = page.last else { break }
            last = end.item
        }
        view = Mutex(Self.view(notes, release))
        self.notes = Mutex(notes)
    }

    /// What has been said about an item.
    subscript(_ item: RawID) -> ItemAnnotation? { notes.withLock { $0[item] } }

    /// Items with annotations, by the bytes of their ids.
    var items: [RawID] { notes.withLock { $0.keys.sorted() } }

    /// Items whose annotations are meant, by the bytes of their ids.
    func items(where isMeant: (RawID, ItemAnnotation) -> Bool) -> [RawID] {
        notes.withLock { $0 }.filter { isMeant($0.key, $0.value) }.keys.sorted()
    }

    /// Takes note of what is in the log already; visible to all requests that come later.
    func set(_ item: RawID, _ note: ItemAnnotation?, _ release: Release) {
        let before = notes.withLock { notes in
            defer { notes[item] = note }
            return notes[item]
        }
        guard let row = release.item(item)?.row else { return }
        view.withLock { view in
            if let before { view.remove(before, Int32(row)) }
            if let note { view.add(note, Int32(row)) }
        }
    }

    /// Changes the rows to those of another release.
    func use(_ release: Release) {
        let new = notes.withLock { Self.view($0, release) }
        view.withLock { $0 = new }
    }

    /// The annotations by the rows of a release; O(1) for the one in use.
    func view(for release: Release) -> View {
        let current = view.withLock { $0 }
        return current.identity == release.identity ? current : notes.withLock { Self.view($0, release) }
    }

    private static func view(_ notes: [RawID: ItemAnnotation], _ release: Release) -> View {
        var view = View(identity: release.identity)
        for (item, note) in notes { if let row = release.item(item)?.row { view.add(note, Int32(row)) } }
        return view
    }
}

extension Annotations.View {
    fileprivate mutating func add(_ note: ItemAnnotation, _ row: Int32) {
        if note.isHidden { hidden.insert(row) }
        for category in note.categories { categories[category, default: []].insert(row) }
        titles[row] = note.title
    }

    fileprivate mutating func remove(_ note: ItemAnnotation, _ row: Int32) {
        hidden.remove(row)
        for category in note.categories { categories[category]?.remove(row) }
        titles[row] = nil
    }
}
