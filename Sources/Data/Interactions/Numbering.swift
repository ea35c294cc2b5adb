import Identifiers

/// New numbers for the remaining users and items, by first appearance among the remaining events.
struct Numbering {
    /// The log's numbers of users 0 … and of items 1 …
    private(set) var users: [Int32] = []
    private(set) var items: [Int32] = []
    /// For each item of the log its new number, 0 where it has no remaining events.
    private(set) var newItem: [Int32]
    /// U + 1 positions: the start of each user's events among the remaining ones, and their number.
    private(set) var starts: [Int64] = [0]

    init(_ log: borrowing InteractionLog, _ core: KCore) throws(DatasetError) {
        var (users, items): ([Int32], [Int32]) = ([], [])
        var newItem = [Int32](repeating: 0, count: log.itemIDs.count)
        var lengths = [Int64](repeating: 0, count: log.userIDs.count)
        try log.events.forEach { event, position in
            guard core.contains(event, position) else { return }
            let (user, item) = (Int(event.user), Int(event.item))
            if lengths[user] == 0 { users.append(event.user) }
            lengths[user] += 1
            if newItem[item] == 0 {
                items.append(event.item)
                newItem[item] = Int32(items.count)
            }
        }
        starts.reserveCapacity(users.count + 1)
        for user in users { starts.append(starts.last! + lengths[Int(user)]) }
        (self.users, self.items, self.newItem) = (users, items, newItem)
    }
}
