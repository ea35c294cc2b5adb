import FileSupport

extension LayoutFinder {
    /// - Parameter delimiters: the candidates, the most likely first.
    func tableLayout(
        _ format: InputFormat, _ head: Head, _ delimiters: [Delimiter]
    ) throws(DatasetError) -> LogLayout {
        var layout = LogLayout(path: path, format: format)
        var candidates = options.delimiter.map { [$0] } ?? delimiters
        // Excel's line that declares the delimiter.
        let firstLine = head.lines.first.map(text) ?? ""
        if firstLine.lowercased().hasPrefix("sep="), firstLine.utf8.count == 5, options.delimiter == nil {
            layout.linesBefore = 1
            if let delimiter = Delimiter(String(firstLine.dropFirst(4))) { candidates = [delimiter] }
        }
        layout.linesBefore += comments(head, candidates, layout.linesBefore)
        if layout.linesBefore > 0 {
            layout.notes.append(
                "skipped before the header or the first event: \(counted(layout.linesBefore, "line"))")
        }
        var (dialect, sample) = choose(format, head, candidates, layout.linesBefore)
        guard let first = sample.records.first else {
            let (line, reason) = sample.problem ?? (layout.linesBefore + 1, "there is no header and no event")
            throw .line(path: path, number: line, reason: reason)
        }
        layout.width = first.count
        do {
            dialect.hasHeader = try hasHeader(sample, format)
            layout.table = dialect
            let finder = finder(sample, layout)
            if let columns = previousColumns(layout) {
                layout.columns = columns
                layout.notes.append("no header: its columns are taken to be those of \(previous?.path ?? "")")
            } else if dialect.hasHeader {
                try refusePresplit(sample.records[0])
                layout.columns = try columns(finder, &layout.notes) { sample.values($0).dropFirst().map { $0 } }
            } else {
                layout.columns = try numberedColumns(finder, sample, format, &layout.notes)
            }
        } catch { throw error.error(path, line: sample.lineNumbers.first ?? 1) }
        let rows = sample.records.dropFirst(dialect.hasHeader ? 1 : 0).filter { $0.count == layout.width }
        layout.first = firstEvent(rows.map { row in layout.columns.map { row[$0.position ?? 0] } }, layout)
        return layout
    }

    /// The most plausible dialect of the lines, and the records that it gives.
    private func choose(
        _ format: InputFormat, _ head: Head, _ delimiters: [Delimiter], _ linesBefore: Int
    ) -> (TableDialect, Sample) {
        let candidates = delimiters.map { delimiter in
            var dialect = TableDialect(delimiter: delimiter, isQuoted: format == .csv, hasHeader: true)
            var sample = Sample(head, dialect, skipping: linesBefore)
            let first = sample.records.first ?? []
            if format == .tsv, first.allAndSome({ $0.count > 1 && $0.hasPrefix("\"") && $0.hasSuffix("\"") }) {
                dialect.isQuoted = true
                sample = Sample(head, dialect, skipping: linesBefore)
            }
            return (dialect, sample)
        }
        return candidates.first { knownRoles($0.1.records.first ?? []) > 1 }
            ?? candidates.first { ($0.1.width ?? 0) > 1 }
            ?? candidates.first { ($0.1.records.first?.count ?? 0) > 1 } ?? candidates[0]
    }

    /// Number of lines at the beginning that are comments: they begin with # or % and are no header.
    private func comments(_ head: Head, _ delimiters: [Delimiter], _ start: Int) -> Int {
        head.lines.dropFirst(start).prefix { line in
            guard let first = line.first, first == 0x23 || first == 0x25 else { return false }
            return delimiters.allSatisfy { delimiter in
                var splitter = FieldSplitter(TableDialect(delimiter: delimiter, isQuoted: false, hasHeader: true))
                try? splitter.split(line)
                return knownRoles(splitter.fields.map(text)) < 2
            }
        }.count
    }

    private func finder(_ sample: Sample, _ layout: LogLayout) -> ColumnFinder {
        guard layout.table?.hasHeader == true else { return ColumnFinder(names: nil, width: layout.width) }
        var names = sample.records[0]
        if layout.format == .recbole { names = names.map(Self.withoutType) }
        return ColumnFinder(names: names, width: layout.width, more: moreNames)
    }

    // MARK: Header

    private func hasHeader(_ sample: Sample, _ format: InputFormat) throws(LineProblem) -> Bool {
        let first = sample.records[0]
        let known = knownRoles(first)
        let numbers = first.contains { Look.isNumber($0) || Look.isCalendarTime($0) }
        if let asked = options.hasHeader {
            guard asked || known < 2 || numbers else {
                throw LineProblem(
                    reason: "it names columns (\(shortened(first.map(printable).joined(separator: ", "))))",
                    remedies: [.keepHeader])
            }
            return asked
        }
        if format == .recbole, first.contains(where: { $0.contains(/:(token|float)(_seq)?$/) }) { return true }
        if format == .movielens { return known > 1 && !numbers }
        if known > 1 { return true }
        if numbers || hasShapeOfEvents(sample) {
            if purpose != .events || previousColumns(width: first.count) != nil { return false }
            throw looksLikeEvent(sample)
        }
        let rest = sample.records.dropFirst()
        let isTold = first.indices.contains { i in
            rest.map { i < $0.count ? $0[i] : "" }.allAndSome { Look.isNumber($0) || Look.isCalendarTime($0) }
        }
        if !isTold, purpose == .events, options.columns.areGiven {
            throw LineProblem(
                reason: "it is ambiguous whether it names columns or is an event (\(quotedList(first)))",
                remedies: [.tellHeader])
        }
        return true
    }

    /// Whether the first line has the same pattern of letters and digits as the others in every column, with at least one digit.
    private func hasShapeOfEvents(_ sample: Sample) -> Bool {
        func shape(_ text: String) -> String {
            var result = ""
            for character in text {
                let kind: Character = character.isNumber ? "9" : character.isLetter ? "a" : character
                if result.last != kind { result.append(kind) }
            }
            return result
        }
        let shapes = sample.records.map { $0.map(shape) }
        guard shapes.count > 1, shapes[0].joined().contains("9") else { return false }
        return shapes.dropFirst().allSatisfy { $0 == shapes[0] }
    }

    private func quotedList(_ fields: [String]) -> String {
        shortened(fields.map { quoted($0) }.joined(separator: ", "))
    }

    private func looksLikeEvent(_ sample: Sample) -> LineProblem {
        LineProblem(
            reason: "it looks like an event (\(quotedList(sample.records[0]))), not like names of columns",
            remedies: [likelyColumns(sample)] + (path.lowercased().contains(".txt") ? [.format(.sequences)] : []))
    }

    /// How a table without header would be read, as far as its values tell.
    private func likelyColumns(_ sample: Sample) -> LogRemedy {
        let columns = Array(0..<(sample.width ?? sample.records[0].count))
        func all(_ predicate: @escaping (String) -> Bool) -> (Int) -> Bool {
            { sample.values($0).allSatisfy(predicate) }
        }
        let time =
            columns.first(where: all { Look.isCalendarTime($0) && !Look.isNumber($0) })
            ?? columns.last(where: all(Look.isUnixTime))
        let others = columns.filter { $0 != time }
        let ids = others.filter { !sample.values($0).contains(where: Look.isDecimal) }
        let (user, item) = ids.count > 1 ? (ids[0], ids[1]) : (others.first ?? 0, others.dropFirst().first ?? 1)
        return .numberColumns(user: user + 1, item: item + 1, time: time.map { $0 + 1 })
    }

    // MARK: Columns

    private func numberedColumns(
        _ finder: ColumnFinder, _ sample: Sample, _ format: InputFormat, _ notes: inout [String]
    ) throws(LineProblem) -> [LogLayout.Column] {
        var columns: [LogLayout.Column]
        switch purpose {
        case .titles(let title):
            notes.append("no header: the first column is taken for the item, the second for its title")
            columns = [try finder.given("1", .item), try finder.given(title ?? "2", .title)]
        case .events:
            let given = format == .movielens ? try movielensColumns(finder.width) : options.columns
            columns = try eventColumns(given, finder, sample)
        }
        let named = options.columns
        let asked = [named.user, named.item, named.timestamp, named.rating] + named.kept.map { $1 }
        for i in columns.indices where columns[i].role != .condition {
            columns[i].isGiven = asked.contains(columns[i].position.map { String($0 + 1) })
        }
        return columns
    }

    /// The columns that were given, and MovieLens's for the others.
    private func movielensColumns(_ width: Int) throws(LineProblem) -> ColumnNames {
        guard width == 4 || options.columns.areGiven else {
            throw LineProblem(reason: "expected 4 fields, found \(width)")
        }
        var given = options.columns
        given.user = given.user ?? "1"
        given.item = given.item ?? "2"
        given.rating = given.rating ?? "3"
        given.timestamp = given.timestamp ?? (options.usesFileOrder ? nil : "4")
        return given
    }

    /// The columns of events, each by its number.
    private func eventColumns(
        _ given: ColumnNames, _ finder: ColumnFinder, _ sample: Sample
    ) throws(LineProblem) -> [LogLayout.Column] {
        guard let user = given.user, let item = given.item, given.timestamp != nil || options.usesFileOrder else {
            throw LineProblem(reason: "without a header columns go by number", remedies: [likelyColumns(sample)])
        }
        var columns = [try finder.given(user, .user), try finder.given(item, .item)]
        if let time = given.timestamp, !options.usesFileOrder { columns.append(try finder.given(time, .time)) }
        if options.minimumRating != nil {
            guard let rating = given.rating else { throw finder.missing(.rating) }
            columns.append(try finder.given(rating, .rating))
        }
        for (role, name) in given.kept { columns.append(try finder.given(name, role)) }
        for condition in options.conditions { columns.append(try finder.given(condition.column, .condition)) }
        return columns
    }

    private func previousColumns(_ layout: LogLayout) -> [LogLayout.Column]? {
        guard options.hasHeader == nil, layout.table?.hasHeader == false,
            previous?.table?.delimiter == layout.table?.delimiter
        else { return nil }
        return previousColumns(width: layout.width)
    }

    private func previousColumns(width: Int) -> [LogLayout.Column]? {
        guard options.hasHeader == nil, purpose == .events, let previous, previous.width == width,
            previous.format != .movielens
        else { return nil }
        return previous.columns
    }

    /// RecBole's benchmark files hold training cases, each a list of items: they cannot be read as events.
    private func refusePresplit(_ header: [String]) throws(LineProblem) {
        let lists = header.filter { UsualNames.key(Self.withoutType($0)).hasSuffix("idlist") }
        guard let list = lists.first, purpose == .events else { return }
        throw LineProblem(
            reason:
                "\(printable(list)) holds a list of items: these are cases that were split for training already, not "
                + "events; give the log that they were made from (RecBole's atomic .inter file, one event a line)")
    }
}
