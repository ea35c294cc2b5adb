/// New numbers for the users and items that are left, by first appearance among the events that are left.
struct Numbering {
    /// Numbers in the log of users 0 ... and of items 1 ...
    private(set) var users: [Int32] = []
    private(set) var items: [Int32] = []
    /// For each item of the log its new number, 0 where nothing is left of it.
    private(set) var newItem: [Int32]
    /// Where each user's events begin among those that are left, user by user, and the number of all: U + 1.
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
