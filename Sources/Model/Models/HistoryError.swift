import Identifiers

/// Why a model cannot read a history, or go on from a state.
public enum HistoryError: Error, Equatable, CustomStringConvertible {
    /// There is no event after which an answer could be given.
    case empty
    /// An item's number lies outside 1 ... `itemCount`.
    case unknownItem(ItemID, itemCount: Int)
    /// A batch does not fit the encoder that was made for at most so many events and sequences.
    case tooLarge(tokens: Int, sequences: Int)
    /// There is not one state a sequence, or a state is another model's.
    case otherStates

    /// One sentence for people.
    public var description: String {
        switch self {
        case .empty: "a history is empty: there is no event to go on from"
        case .unknownItem(let item, let itemCount): "there is no item \(item): the model knows items 1 ... \(itemCount)"
        case .tooLarge(let tokens, let sequences):
            "a batch is larger than its encoder, which was made for \(tokens) events in \(sequences) sequences"
        case .otherStates: "there must be one state a sequence, each of this model"
        }
    }
}

extension ModelConfiguration {
    /// Throws where a number is no item's. O(count).
    func check(_ items: some Sequence<ItemID>) throws(HistoryError) {
        for item in items where !(0..<itemCount).contains(item.row) { throw .unknownItem(item, itemCount: itemCount) }
    }
}
