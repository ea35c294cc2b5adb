/// Turns lines that each hold one JSON object into events. Ids are text or numbers, numbers as they are written.
///
/// Either every event has a time, or none has and file order is time order.
struct JSONLines {
    private let user: Role
    private let item: Role
    private let timestamp: Role
    private let rating: Role
    private let minimumRating: Double?
    private let needsTimestamp: Bool
    private let scratch = Scratch()

    /// Keys that mean one thing, the best first.
    private struct Role {
        let names: [[UInt8]]

        init(_ name: String?, _ defaults: [String]) { names = (name.map { [$0] } ?? defaults).map { Array($0.utf8) } }

        /// How good a key is, 0 the best; nil if it means something else.
        func rank(of key: Bytes) -> Int? {
            names.firstIndex { $0.count == key.count && $0.elementsEqual(key) }
        }
    }

    /// The best value found for a role.
    private struct Found {
        var rank = Int.max
        var value = JSONObjectScanner.Value.other

        mutating func offer(_ value: JSONObjectScanner.Value, _ key: Bytes, _ role: Role) throws(LineProblem) {
            guard let rank = role.rank(of: key) else { return }
            if rank == self.rank { throw LineProblem(reason: "the key \(quoted(key)) occurs more than once") }
            if rank < self.rank { (self.rank, self.value) = (rank, value) }
        }

        func id(_ what: String) throws(LineProblem) -> Bytes {
            switch value {
            case .text(let bytes), .number(let bytes): return bytes
            case .other: throw LineProblem(reason: "expected \(what) as text or a number")
            }
        }
    }

    init(_ options: ReadOptions) {
        let columns = options.columns
        user = Role(columns.user, ColumnNames.userDefaults)
        item = Role(columns.item, ColumnNames.itemDefaults)
        timestamp = Role(columns.timestamp, ColumnNames.timestampDefaults)
        rating = Role(columns.rating, ColumnNames.ratingDefaults)
        minimumRating = options.minimumRating
        needsTimestamp = columns.timestamp != nil
    }

    func parse(_ line: Bytes, into log: inout InteractionLog) throws(LineProblem) {
        var (userFound, itemFound, timeFound, ratingFound) = (Found(), Found(), Found(), Found())
        var scanner = try JSONObjectScanner(line, scratch)
        while let (key, value) = try scanner.next() {
            try userFound.offer(value, key, user)
            try itemFound.offer(value, key, item)
            try timeFound.offer(value, key, timestamp)
            if minimumRating != nil { try ratingFound.offer(value, key, rating) }
        }
        let (user, item) = (try userFound.id("a user"), try itemFound.id("an item"))
        let time = try self.time(timeFound, &log)
        if let minimumRating {
            guard case .number(let bytes) = ratingFound.value, let rating = parseNumber(bytes) else {
                throw LineProblem(reason: "expected a rating as a number")
            }
            if rating < minimumRating { return log.dropByRating() }
        }
        try log.append(user: user, item: item, timestamp: time)
    }

    private func time(_ found: Found, _ log: inout InteractionLog) throws(LineProblem) -> Int64? {
        if found.rank == .max, !needsTimestamp, !log.hasTimestamps { return nil }
        let bytes = try found.id("a timestamp")
        guard log.count == 0 || log.hasTimestamps else {
            throw LineProblem(reason: "it has a timestamp, but lines before it have none")
        }
        return try log.time(bytes)
    }
}
