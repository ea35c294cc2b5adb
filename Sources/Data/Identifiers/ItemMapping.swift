/// A model's numbers for the items of a dataset, which another `prepare` may have numbered.
public struct ItemMapping: Sendable {
    /// The model's number of item i at position i − 1, 0 where the model does not know it; nil where all have the same.
    private let numbers: [Int32]?

    /// Items are the same if their ids are, byte for byte. O(items).
    public init(_ dataset: Vocabulary, to model: Vocabulary) {
        let numbers = dataset.ids.map { id in Int32((model.position(of: id) ?? -1) + 1) }
        let isIdentity = dataset.count == model.count && numbers.enumerated().allSatisfy { $0.offset + 1 == $0.element }
        self.numbers = isIdentity ? nil : numbers
    }

    /// Whether model and dataset have the same items under the same numbers.
    public var isIdentity: Bool { numbers == nil }

    /// Number of the dataset's items that the model does not know.
    public var unknownCount: Int { numbers?.count { $0 == 0 } ?? 0 }

    /// The model's number for one of the dataset's items; nil if it does not know it.
    public func number(of item: Int32) -> Int32? {
        guard let numbers else { return item }
        let number = numbers[Int(item) - 1]
        return number > 0 ? number : nil
    }

    /// The model's numbers for those of the dataset's items that it knows.
    public func known(_ items: [Int32]) -> [Int32] { numbers == nil ? items : items.compactMap(number) }
}
