import Identifiers

/// Scores of items that follow from counting events, and that can go on as events pass.
protocol ItemCounts: Sendable {
    /// Name of the ranking, for tables.
    static var name: String { get }
    /// Counts sequences of events, and has `counts` of each item in them, by ``ItemID/row``.
    init(_ sequences: some Sequence<[ItemID]>, counts: [Int])
    /// Counts an event of a user, whose event before it was `previous`. Events come in order of time.
    mutating func learn(_ item: ItemID, after previous: ItemID?, at time: Int64)
    /// Makes the counts those at a time, before anything is asked about it.
    mutating func advance(to time: Int64)
    /// The ranks of a target after a history whose distinct items are `seen`.
    func ranks(of target: ItemID, after history: [ItemID], seen: Set<ItemID>) -> CaseRanks
    /// The best items after a history, ties by the item's number, without those that are left out.
    func best(_ count: Int, after history: [ItemID], except leftOut: Set<ItemID>) -> [ItemID]
}

extension ItemCounts {
    mutating func advance(to time: Int64) {}

    /// The ranks of a target, and the ten best items in both settings.
    func answer(_ target: ItemID, after history: [ItemID], to lists: inout ListCounts) -> CaseRanks {
        let seen = Set(history)
        let best = best(ListCounts.length, after: history, except: [])
        let isNew = seen.isDisjoint(with: best)
        lists.add(best, isNew ? best : self.best(ListCounts.length, after: history, except: seen))
        return ranks(of: target, after: history, seen: seen)
    }
}

/// The number of events of each item.
struct PopularityCounts: ItemCounts {
    static let name = "Popularity"
    private(set) var board: Leaderboard

    init(_ sequences: some Sequence<[ItemID]>, counts: [Int]) { board = Leaderboard(counts) }

    mutating func learn(_ item: ItemID, after previous: ItemID?, at time: Int64) { board[item] += 1 }

    func ranks(of target: ItemID, after history: [ItemID], seen: Set<ItemID>) -> CaseRanks {
        board.ranks(of: target, seen: seen)
    }

    func best(_ count: Int, after history: [ItemID], except leftOut: Set<ItemID>) -> [ItemID] {
        board.best(count) { leftOut.contains($0) }
    }
}

/// How often each item followed another; equal counts by popularity.
struct TransitionCounts: ItemCounts {
    static let name = "Last-item transitions"
    private var popularity: PopularityCounts
    private var followers: [ItemID: [ItemID: Int]] = [:]

    init(_ sequences: some Sequence<[ItemID]>, counts: [Int]) {
        popularity = PopularityCounts([], counts: counts)
        for items in sequences {
            for (item, next) in zip(items, items.dropFirst()) { followers[item, default: [:]][next, default: 0] += 1 }
        }
    }

    mutating func learn(_ item: ItemID, after previous: ItemID?, at time: Int64) {
        popularity.learn(item, after: previous, at: time)
        if let previous { followers[previous, default: [:]][item, default: 0] += 1 }
    }

    private func followers(of history: [ItemID]) -> [ItemID: Int] { history.last.flatMap { followers[$0] } ?? [:] }

    /// O(history + followers of its last item).
    func ranks(of target: ItemID, after history: [ItemID], seen: Set<ItemID>) -> CaseRanks {
        let (followers, board) = (followers(of: history), popularity.board)
        let own = (followers[target] ?? 0, board[target])
        func beats(_ item: ItemID) -> Bool { item != target && (followers[item] ?? 0, board[item]) >= own }
        // Followers are compared one by one; the others, whose transition count is 0, only where the target's is too.
        var unmasked = 1 + followers.keys.count(where: beats)
        if own.0 == 0 {
            unmasked += board.count(atLeast: own.1) - 1 - followers.keys.count { $0 != target && board[$0] >= own.1 }
        }
        return CaseRanks(unmasked: unmasked, masked: unmasked - seen.count(where: beats))
    }

    /// O(followers of the last item · log of their number), and those that are left out.
    func best(_ count: Int, after history: [ItemID], except leftOut: Set<ItemID>) -> [ItemID] {
        var first: [(Int, UInt64, ItemID)] = []
        for (item, count) in followers(of: history) where !leftOut.contains(item) {
            first.append((count, popularity.board[item], item))
        }
        first.sort { ($1.0, $1.1, $0.2) < ($0.0, $0.1, $1.2) }
        let list = first.prefix(count).map(\.2)
        guard list.count < count else { return list }
        return list + popularity.best(count - list.count, after: history, except: leftOut.union(list))
    }
}
