/// Maps the items of a dataset to those of a model, which may have been numbered differently.
public struct ItemMapping: Sendable {
    /// The model's item for each of the dataset's, by ``ItemID/row``, nil where the model does not know it; nil for the identity.
    private let items: [ItemID?]?

    /// For a dataset and a model with the same items under the same numbers.
    public static let identity = ItemMapping(items: nil)

    /// Items are the same if their ids are, byte for byte. O(items).
    public init(_ dataset: Vocabulary, to model: Vocabulary) {
        let items = dataset.ids.map { id in model.position(of: id).map(ItemID.init(row:)) }
        let isIdentity = dataset.count == model.count && items.enumerated().allSatisfy { $0.offset == $0.element?.row }
        self.items = isIdentity ? nil : items
    }

    /// Whether model and dataset have the same items under the same numbers.
    public var isIdentity: Bool { items == nil }

    /// Number of the dataset's items that the model does not know.
    public var unknownCount: Int { items?.count { $0 == nil } ?? 0 }

    /// The model's item for one of the dataset's; nil if it does not know it.
    public subscript(_ item: ItemID) -> ItemID? {
        guard let items else { return item }
        return items[item.row]
    }

    /// The same mapping, but for those of the model's items for which `isKept` is false; the dataset has `itemCount` items.
    public func keeping(of itemCount: Int, _ isKept: (ItemID) -> Bool) -> ItemMapping {
        let kept = (0..<itemCount).map { row in self[ItemID(row: row)].flatMap { isKept($0) ? $0 : nil } }
        let isUnchanged = kept.enumerated().allSatisfy { $1 == self[ItemID(row: $0)] }
        return isUnchanged ? self : ItemMapping(items: kept)
    }

    private init(items: [ItemID?]?) { self.items = items }

    /// The model's items for those of the dataset's that it knows.
    public func known(_ history: [ItemID]) -> [ItemID] { items == nil ? history : history.compactMap { self[$0] } }
}
