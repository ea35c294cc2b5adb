public import ErrorSupport
public import Identifiers

/// Why a history or a state cannot be used with a model.
public enum HistoryError: UserFacingError, Equatable {
    /// The history has no events.
    case empty
    /// An item's number lies outside 1 ... `itemCount`.
    case unknownItem(ItemID, itemCount: Int)
    /// A batch has more events or sequences than its encoder was made for.
    case tooLarge(tokens: Int, sequences: Int)
    /// The model uses times, and they are not given.
    case noTimes
    /// There is not one state for each sequence, or a state belongs to another model.
    case otherStates

    /// One sentence for people.
    public var description: String {
        switch self {
        case .empty: "a history is empty: there is no event to go on from"
        case .unknownItem(let item, let itemCount): "there is no item \(item): the model knows items 1 ... \(itemCount)"
        case .tooLarge(let tokens, let sequences):
            "a batch is larger than its encoder, which was made for \(tokens) events in \(sequences) sequences"
        case .noTimes: "the model uses the times of events, which are not given"
        case .otherStates: "there must be one state of this model for each sequence"
        }
    }

    /// Bad data.
    public var exitStatus: ExitStatus { .badData }
}

extension ModelConfiguration {
    /// Throws if one of the items is not among the model's. O(count).
    func check(_ items: some Sequence<ItemID>) throws(HistoryError) {
        for item in items where !(0..<itemCount).contains(item.row) { throw .unknownItem(item, itemCount: itemCount) }
    }
}
