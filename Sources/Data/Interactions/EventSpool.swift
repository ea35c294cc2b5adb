import FileSupport
import Foundation

/// One event: user, item and time as numbers.
struct Event: BitwiseCopyable {
    var user: Int32
    var item: Int32
    /// 0 where the log has no times.
    var time: Int64
}

/// The largest numbers of events in memory at a time, 16 bytes each.
struct MemoryLimits {
    /// While reading; also the size of a block when the log is iterated.
    var reading = 1 << 16
    /// While sorting, unless a single user has more.
    var ordering = 1 << 24
}

/// Any number of events in file order in bounded memory: the newest are in a buffer, the others in a temporary file. A log
/// that fits the buffer is never written to disk.
struct EventSpool: ~Copyable, Sendable {
    private let folder: URL
    private let limit: Int
    private var newest: [Event] = []
    private var file: TemporaryFile?
    /// Number of events in the file.
    private var stored = 0
    /// Changes to the times of the first events, applied when they are read.
    private var changes: [(count: Int, change: TimeChange)] = []

    /// - Parameter folder: where the temporary file is created, if one is needed.
    init(in folder: URL, limit: Int) {
        self.folder = folder
        self.limit = limit
    }

    /// Number of events.
    var count: Int { stored + newest.count }

    /// Appends one event to the buffer.
    mutating func append(_ event: Event) { newest.append(event) }

    /// Applies a change to the times of all events so far.
    mutating func changeTimes(_ change: TimeChange) { changes.append((count, change)) }

    /// Moves the buffer to the file if it is full. To be called after every line.
    mutating func spill() throws(DatasetError) {
        guard newest.count >= limit else { return }
        do {
            if file == nil { file = try TemporaryFile(in: folder) }
            try newest.withUnsafeBufferPointer { (events) throws(FileError) in
                try file!.append(UnsafeRawBufferPointer(events))
            }
        } catch { throw .file(error) }
        stored += newest.count
        newest.removeAll(keepingCapacity: true)
    }

    /// Calls `body` with every event from the first to the last and its position.
    func forEach(_ body: (_ event: Event, _ position: Int) -> Void) throws(DatasetError) {
        var piece = [Event](repeating: Event(user: 0, item: 0, time: 0), count: min(limit, stored))
        for start in stride(from: 0, to: stored, by: limit) {
            let size = min(limit, stored - start)
            do {
                try piece.withUnsafeMutableBufferPointer { (events) throws(FileError) in
                    let part = UnsafeMutableBufferPointer(rebasing: events[0..<size])
                    try file!.read(
                        into: UnsafeMutableRawBufferPointer(part), at: start * MemoryLayout<Event>.stride)
                }
            } catch { throw .file(error) }
            for (i, event) in piece[0..<size].enumerated() { body(changed(event, at: start + i), start + i) }
        }
        for (i, event) in newest.enumerated() { body(changed(event, at: stored + i), stored + i) }
    }

    private func changed(_ event: Event, at position: Int) -> Event {
        guard !changes.isEmpty else { return event }
        var event = event
        for (count, change) in changes where position < count { event.time = change.applied(to: event.time) }
        return event
    }
}
