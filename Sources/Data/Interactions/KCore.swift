import Identifiers

/// The k-core of a log: the largest sets of users and items that have enough events among themselves.
struct KCore {
    private var users: [Bool]
    private var items: [Bool]
    /// The number of passes over the log until nothing changed.
    private(set) var rounds = 0
    /// The largest numbers of events of a user and of an item before filtering; 0 without filters.
    private(set) var most = (user: 0, item: 0)

    /// Events that were dropped before the k-core.
    private let dropped: EventSet

    init(
        _ log: borrowing InteractionLog, _ filters: Filters, without dropped: EventSet = EventSet()
    ) throws(DatasetError) {
        self.dropped = dropped
        users = Array(repeating: true, count: log.userIDs.count)
        items = Array(repeating: true, count: log.itemIDs.count)
        var changed = filters.minimumUserEvents > 1 || filters.minimumItemEvents > 1
        while changed {
            rounds += 1
            var userEvents = [Int](repeating: 0, count: users.count)
            var itemEvents = [Int](repeating: 0, count: items.count)
            try log.events.forEach { event, position in
                guard contains(event, position) else { return }
                userEvents[Int(event.user)] += 1
                itemEvents[Int(event.item)] += 1
            }
            if rounds == 1 { most = (userEvents.max() ?? 0, itemEvents.max() ?? 0) }
            let usersChanged = Self.drop(&users, userEvents, filters.minimumUserEvents)
            let itemsChanged = Self.drop(&items, itemEvents, filters.minimumItemEvents)
            changed = usersChanged || itemsChanged
        }
    }

    /// Whether an event, its user and its item remain.
    func contains(_ event: Event, _ position: Int) -> Bool {
        users[Int(event.user)] && items[Int(event.item)] && !dropped.contains(position)
    }

    /// Drops users, or items, with too few events; returns whether there were any.
    private static func drop(_ left: inout [Bool], _ events: [Int], _ minimum: Int) -> Bool {
        var changed = false
        for index in left.indices where left[index] && events[index] < minimum {
            left[index] = false
            changed = true
        }
        return changed
    }
}
