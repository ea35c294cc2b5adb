import FileSupport
public import Foundation
package import Identifiers

/// A log of interactions: its events in file order and the ids that occur.
public struct InteractionLog: ~Copyable, Sendable {
    /// Users and items as numbers by first appearance; times as nanoseconds since 1970.
    private(set) var events: EventSpool
    private(set) var hasTimestamps = false
    private(set) var userIDs = Interner()
    private(set) var itemIDs = Interner()
    /// Counts from reading.
    public private(set) var report = ReadReport()
    let memory: MemoryLimits
    /// Events whose ids have no numbers yet: ids are interned in batches, which is faster.
    private var waiting = (users: PackedTexts(), items: PackedTexts(), times: [Int64]())
    private(set) var times = TimeColumn()
    /// Types and ids of the events; nil where none were asked for.
    private var kept: KeptSpool?
    /// The first malformed record that was skipped.
    private(set) var firstSkipped: String?
    /// The interpretation of the times; nil where there are none.
    public private(set) var meaningOfTimes: TimeMeaning?

    init(_ options: ReadOptions) {
        events = EventSpool(in: options.temporaryFolder, limit: options.memory.reading)
        if !options.columns.kept.isEmpty {
            kept = KeptSpool(in: options.temporaryFolder, limit: 16 * options.memory.reading)
        }
        memory = options.memory
    }

    /// Number of events.
    public var count: Int { events.count + waiting.times.count }

    /// A log of events that ``add(user:item:nanoseconds:)`` gives it.
    package init(spoolingTo folder: URL) {
        var options = ReadOptions()
        options.temporaryFolder = folder
        self.init(options)
    }

    /// Adds an event behind those before. Where its ids cannot be those of a dataset, it is counted as skipped.
    package mutating func add(user: RawID, item: RawID, nanoseconds: Int64) throws(DatasetError) {
        report.lines += 1
        let problem = user.withBytes { user in
            item.withBytes { item -> LineProblem? in
                do throws(LineProblem) { try append(user: user, item: item, timestamp: nanoseconds) } catch {
                    return error
                }
                return nil
            }
        }
        if problem != nil { report.skippedLines += 1 }
        try spill()
    }

    /// Counts an event that cannot be added.
    package mutating func skip() {
        report.lines += 1
        report.skippedLines += 1
    }

    private mutating func spill() throws(DatasetError) {
        try events.spill()
        if kept != nil { do { try kept!.spill() } catch { throw .file(error) } }
    }

    /// Ends adding. `source` names where the events come from.
    package mutating func finishAdding(from source: String) throws(DatasetError) {
        numberWaiting()
        guard count > 0 else { throw .unusable("\(source) holds no events that a dataset can hold") }
        meaningOfTimes = TimeMeaning("times of the event log")
    }

    /// Calls `body` with every event in the order of the log.
    package func forEach(_ body: (LoggedEvent) -> Void) throws(DatasetError) {
        var reader = KeptSpool.Reader()
        var failure: FileError?
        try events.forEach { event, _ in
            guard failure == nil else { return }
            var logged = LoggedEvent(
                user: RawID(userIDs.string(event.user)), item: RawID(itemIDs.string(event.item)),
                nanoseconds: hasTimestamps ? event.time : nil)
            do throws(FileError) { try readKept(&logged, &reader) } catch { return failure = error }
            body(logged)
        }
        if let failure { throw .file(failure) }
    }

    /// Adds what is kept of an event. (Inside the closure above, a use of `kept` ends the optimizer of Swift 6.3.)
    @inline(never)
    private func readKept(_ event: inout LoggedEvent, _ reader: inout KeptSpool.Reader) throws(FileError) {
        if kept != nil { try reader.readFields(of: &event, kept!) }
    }

    /// Reads a file.
    /// - Parameter progress: called every 2¹⁶ records with their number so far and the fraction of the file that is read; what it throws, such as
    ///   ``DatasetError/stopped``, ends the reading.
    public static func read(
        _ url: URL, _ options: ReadOptions = ReadOptions(),
        progress: (_ lines: Int, _ fraction: Double) throws(DatasetError) -> Void = { _, _ in }
    ) throws(DatasetError) -> InteractionLog {
        try read([.file(url)], options, understood: { _ in }, progress: progress)
    }

    /// Reads files one after the other as one log. O(size) time; memory grows with the distinct ids and the longest
    /// record, not with the events.
    /// - Parameters:
    ///   - understood: called for each file with its layout before it is read.
    ///   - progress: called every 2¹⁶ records with their number so far and the fraction of the files that is read; what it throws, such as
    ///     ``DatasetError/stopped``, ends the reading.
    public static func read(
        _ sources: [LogSource], _ options: ReadOptions, understood: (LogLayout) -> Void,
        progress: (_ lines: Int, _ fraction: Double) throws(DatasetError) -> Void
    ) throws(DatasetError) -> InteractionLog {
        var log = InteractionLog(options)
        var previous: LogLayout?
        var unmet: String?
        for (number, source) in sources.enumerated() {
            let finder = LayoutFinder(path: source.path, options: options, previous: previous)
            guard var records = try finder.open(source) else { continue }
            let layout = records.layout
            try checkTimes(layout, previous)
            understood(layout)
            previous = layout
            var parser = EventParser(layout, options)
            log.times.place.path = source.path
            while try log.takeRecord(&records, &parser, skipsBad: options.skipsBadLines) {
                try log.spill()
                guard log.report.lines % (1 << 16) == 0 else { continue }
                try progress(log.report.lines, (Double(number) + records.fractionRead) / Double(sources.count))
            }
            if records.repeatedHeaders > 0 {
                log.report.repeatedHeaders = (log.report.repeatedHeaders ?? 0) + records.repeatedHeaders
            }
            unmet = unmet ?? parser.unmet
        }
        try log.finishTimes()
        let path = sources.map(\.path).joined(separator: ", ")
        guard log.count > 0 else { throw log.nothing(path, isEmpty: previous == nil, unmet) }
        return log
    }

    private static func checkTimes(_ layout: LogLayout, _ previous: LogLayout?) throws(DatasetError) {
        guard let previous, (previous.index(.time) == nil) != (layout.index(.time) == nil) else { return }
        let (with, without) = layout.index(.time) == nil ? (previous, layout) : (layout, previous)
        throw .unusable(
            "\(with.path) has times, \(without.path) has none: they make no one log", remedies: [.fileOrder])
    }

    /// Why there is no event.
    func nothing(_ path: String, isEmpty: Bool, _ unmet: String?) -> DatasetError {
        var why = "none of its \(counted(report.lines, times.place.unit.rawValue)) is an event that passes"
        if report.lines == 0 { why = isEmpty ? "it is empty" : "no events" }
        if let unmet { why += "; \(unmet)" }
        if let firstSkipped { why += "; the first that is malformed: \(firstSkipped)" }
        return .malformed(path: path, reason: why)
    }

    /// Reads one record; false at the end.
    private mutating func takeRecord(
        _ records: inout RecordReader, _ parser: inout EventParser, skipsBad: Bool
    ) throws(DatasetError) -> Bool {
        let problem: LineProblem
        do {
            guard try records.next() else { return false }
            report.lines += 1
            times.place.line = records.lineNumber
            do {
                try parser.parse(records.fields, into: &self)
                return true
            } catch { problem = error }
        } catch {
            switch error {
            case .file(let error): throw .file(error)
            case .line(let error): problem = error
            }
            report.lines += 1
        }
        guard skipsBad, problem.scope != .rest else {
            throw problem.error(records.layout.path, line: records.lineNumber)
        }
        report.skippedLines += 1
        firstSkipped = firstSkipped ?? "\(records.layout.path), line \(records.lineNumber): \(problem.reason)"
        return true
    }

    /// Reads the time of an event that has one. Numbers and spellings that contradict earlier lines throw.
    mutating func time(_ text: Bytes) throws(LineProblem) -> Int64 {
        let time = try times.read(text)
        if let change = times.change {
            times.change = nil
            changeTimes(change)
        }
        return time
    }

    /// Applies a change to the times of all events so far.
    mutating func changeTimes(_ change: TimeChange) {
        numberWaiting()
        events.changeTimes(change)
    }

    /// Adds events whose ids have numbers already; no times where the log has none.
    mutating func append(users: [Int32], items: [Int32], times: [Int64]?) throws(DatasetError) {
        hasTimestamps = times != nil
        for i in users.indices { events.append(Event(user: users[i], item: items[i], time: times?[i] ?? 0)) }
        try spill()
    }

    /// Ends adding events whose ids have numbers already: which ids these are, how times were read and what was counted.
    mutating func finishAdding(
        users: Interner, items: Interner, times: TimeColumn, report: ReadReport, firstSkipped: String?
    ) throws(DatasetError) {
        (userIDs, itemIDs, self.times, self.report, self.firstSkipped) = (users, items, times, report, firstSkipped)
        try finishTimes()
    }

    private mutating func finishTimes() throws(DatasetError) {
        numberWaiting()
        guard hasTimestamps else { return }
        let (change, meaning) = try times.finish()
        if let change { changeTimes(change) }
        meaningOfTimes = meaning
    }

    /// Adds one event. Nothing is added where it throws.
    mutating func append(user: Bytes, item: Bytes, timestamp: Int64?) throws(LineProblem) {
        let (user, item) = (try id(user, "user"), try id(item, "item"))
        user.add(to: &waiting.users)
        item.add(to: &waiting.items)
        waiting.times.append(timestamp ?? 0)
        hasTimestamps = timestamp != nil
        if waiting.users.isFull || waiting.items.isFull { numberWaiting() }
    }

    /// Keeps the type and the id of the event that was added last.
    mutating func keep(_ fields: KeptFields) {
        kept?.append(fields.type)
        kept?.append(fields.eventID)
    }

    /// Adds the events of one user in their order. Nothing is added where it throws.
    mutating func append(user: Bytes, items: ArraySlice<Bytes>) throws(LineProblem) {
        _ = try Identifier.check(user, "user")
        for item in items { _ = try Identifier.check(item, "item") }
        for item in items { try append(user: user, item: item, timestamp: nil) }
    }

    private mutating func id(_ bytes: Bytes, _ what: String) throws(LineProblem) -> CheckedID {
        let id = try CheckedID(bytes, what)
        if id.composed != nil { report.composedIDs = (report.composedIDs ?? 0) + 1 }
        return id
    }

    private mutating func numberWaiting() {
        let (users, items) = (userIDs.intern(waiting.users), itemIDs.intern(waiting.items))
        for (i, time) in waiting.times.enumerated() { events.append(Event(user: users[i], item: items[i], time: time)) }
        waiting.users.removeAll()
        waiting.items.removeAll()
        waiting.times.removeAll(keepingCapacity: true)
    }

    mutating func dropByRating() { report.droppedByRating += 1 }
    mutating func dropByCondition() { report.droppedByCondition = (report.droppedByCondition ?? 0) + 1 }
}
