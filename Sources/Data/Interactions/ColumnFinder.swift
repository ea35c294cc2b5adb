/// Finds columns in a header, among numbers, or keys in JSON objects.
struct ColumnFinder {
    /// The names of the columns; nil where there is no header.
    let names: [String]?
    /// Number of columns; 0 for keys of JSON objects.
    let width: Int
    /// Further names for a role, used where none of the usual names occurs.
    var more: [ColumnRole: [String]] = [:]

    /// "found a, b, c"
    var found: String { "found \(shortened((names ?? []).map(printable).joined(separator: ", ")))" }

    private var kind: String { width > 0 ? "column" : "key" }

    /// The column that the caller named: by name, by number, or by name as ``UsualNames/key(_:)`` compares.
    func given(_ name: String, _ role: ColumnRole) throws(LineProblem) -> LogLayout.Column {
        let names = names ?? []
        let equal = names.indices.filter { names[$0] == name }
        if equal.count == 1 { return column(role, equal[0], isGiven: true) }
        guard equal.isEmpty else {
            throw LineProblem(
                reason: "the \(kind) \(name) occurs more than once; \(found)", remedies: [.numberColumn(role)])
        }
        if width > 0, let number = Int(name) {
            guard (1...width).contains(number) else {
                throw LineProblem(
                    reason: "there is no column \(number) for the \(role.rawValue): the line has \(width)",
                    remedies: [.nameColumn(role)])
            }
            return column(role, number - 1, isGiven: true)
        }
        guard self.names != nil else {
            throw LineProblem(
                reason: "without a header columns go by number from 1 to \(width), and \(name) is none",
                remedies: [.numberColumn(role)])
        }
        let plain = UsualNames.key(LayoutFinder.withoutType(name))
        let alike = names.indices.filter { UsualNames.key(names[$0]) == plain }
        guard let only = alike.first, alike.count == 1, !plain.isEmpty else {
            throw LineProblem(reason: "there is no \(kind) \(name); \(found)")
        }
        return column(role, only, isGiven: true)
    }

    /// The column with the best of the usual names; nil if there is none.
    func usual(_ role: ColumnRole) throws(LineProblem) -> LogLayout.Column? {
        guard let names else { return nil }
        let usual = UsualNames.of(role) + (more[role] ?? [])
        let ranked = names.indices.compactMap { position in
            usual.firstIndex(of: UsualNames.key(names[position])).map { (rank: $0, position: position) }
        }.sorted { ($0.rank, $0.position) < ($1.rank, $1.position) }
        guard let best = ranked.first else { return nil }
        let equal = ranked.filter { $0.rank == best.rank }.map { names[$0.position] }
        if equal.count > 1 {
            throw Set(equal).count == 1
                ? LineProblem(
                    reason: "the \(kind) \(equal[0]) occurs more than once; \(found)", remedies: [.numberColumn(role)])
                : LineProblem(
                    reason: "the \(kind)s \(equal.joined(separator: " and ")) mean the same; \(found)",
                    remedies: [.nameColumn(role)])
        }
        var result = column(role, best.position, isGiven: false)
        result.others = ranked.dropFirst().map { names[$0.position] }
        return result
    }

    /// Throws where a column of times was found by its name and seems to hold only a part of the time: a day of the month
    /// beside month and year, or numbers that are no dates beside another column of times.
    func checkIsWhole(_ column: LogLayout.Column, _ values: (Int) -> [String]) throws(LineProblem) {
        guard !column.isGiven, let names, let position = names.firstIndex(where: { $0 == column.name }) else { return }
        let keys = names.map(UsualNames.key)
        let isTimeOfDay = keys[position].hasSuffix("time")
        let belonging = isTimeOfDay ? ["date", "day", "dt"] : keys[position] == "day" ? ["month", "year"] : []
        let others = names.indices.filter { i in i != position && belonging.contains { keys[i].hasSuffix($0) } }
            .map { names[$0] }
        let found = values(position).filter { !$0.isEmpty }
        guard !others.isEmpty, found.allAndSome({ Look.isNumber($0) && !Look.isClearTime($0) }) else { return }
        let column = "\(kind) \(printable(names[position]))"
        throw LineProblem(
            reason: "the \(column) holds numbers such as \(quoted(found[0])), which are no dates, and there is "
                + "\(others.map(printable).joined(separator: ", ")) too: a time that takes several columns must be "
                + "written as one",
            remedies: [.nameColumn(.time)])
    }

    /// Whether a column has exactly this name.
    func has(_ name: String?) -> Bool {
        guard let name, let names else { return false }
        return names.contains { $0 == name || UsualNames.key($0) == UsualNames.key(name) }
    }

    private func column(_ role: ColumnRole, _ position: Int, isGiven: Bool) -> LogLayout.Column {
        LogLayout.Column(
            role: role, name: names?[position], position: width > 0 ? position : nil, isGiven: isGiven)
    }
}

/// A text, shortened for a message.
func shortened(_ text: String) -> String { text.count > 400 ? text.prefix(400) + "…" : text }

/// A text without control characters, safe to print on one line of a terminal.
func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
    return String(
        String.UnicodeScalarView(
            text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
}

/// The beginning of a field for a message.
func quoted(_ bytes: Bytes) -> String { quoted(text(Bytes(rebasing: bytes.prefix(200)))) }

func quoted(_ text: String) -> String { "'" + printable(text.count > 40 ? text.prefix(40) + "…" : text) + "'" }
