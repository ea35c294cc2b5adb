import Events
import Identifiers
import Tensors

/// Which rows of a release's table may be recommended, as annotations say. Copies share memory until one changes.
struct ItemFilters: Sendable {
    /// The rows that are not hidden.
    private(set) var visible: RowSet
    /// The visible rows of each category. Names are compared byte by byte, as identifiers are.
    private var categories: [RawID: CategoryRows] = [:]

    /// Nothing is hidden, and nothing has a category.
    init(rowCount: Int) { visible = RowSet(rowCount: rowCount, all: true) }

    /// The visible rows of at least one of some categories. O(1) for one with many rows.
    func rows(ofAny names: [String]) -> RowSet {
        let groups = names.compactMap { categories[RawID($0)] }
        guard var rows = groups.first?.rows else { return RowSet(rowCount: visible.rowCount) }
        for group in groups.dropFirst() { group.add(to: &rows) }
        return rows
    }

    /// Adds what is said about the item of a row; the same twice changes nothing.
    mutating func add(_ note: ItemAnnotation, _ row: Int32) {
        guard !note.isHidden else { return visible.remove(row) }
        for name in note.categories.map({ RawID($0) }) {
            categories[name, default: CategoryRows(rowCount: visible.rowCount)].insert(row)
        }
    }

    /// Removes what was said about the item of a row.
    mutating func remove(_ note: ItemAnnotation, _ row: Int32) {
        guard !note.isHidden else { return visible.insert(row) }
        for name in note.categories.map({ RawID($0) }) {
            categories[name]?.remove(row)
            if categories[name]?.isEmpty ?? false { categories[name] = nil }
        }
    }
}

/// The rows of a category. There may be very many small ones, so that few rows are listed; one bit for each row of the table from
/// where that takes less memory.
private struct CategoryRows: Sendable {
    private let rowCount: Int
    private var few: Set<Int32> = []
    private var many: RowSet?

    init(rowCount: Int) { self.rowCount = rowCount }

    var isEmpty: Bool { many?.isEmpty ?? few.isEmpty }

    /// O(1) where there are many.
    var rows: RowSet { many ?? RowSet(rowCount: rowCount, few) }

    func add(to rows: inout RowSet) {
        if let many { rows.formUnion(many) } else { for row in few { rows.insert(row) } }
    }

    mutating func insert(_ row: Int32) {
        many?.insert(row)
        guard many == nil else { return }
        few.insert(row)
        if few.count > rowCount / 64 { (many, few) = (RowSet(rowCount: rowCount, few), []) }
    }

    mutating func remove(_ row: Int32) {
        many?.remove(row)
        few.remove(row)
    }
}
