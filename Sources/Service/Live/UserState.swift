import Events
import FileSupport
import Identifiers
import Models

/// What is remembered of a user: the model's state and the latest items that it knows. Belongs to one shard's thread.
final class UserState {
    /// The most items that are kept: as many as the repeat-aware head looks at.
    static let window = 1024

    let user: RawID
    /// The model's state and, behind it, the vector after the last event that the model knows, where there is one. One array has one header.
    private var floats: [Float]
    /// The last event that has been seen, whether the model knows it or not.
    var last: EventOrder?
    /// Whether events before ``last`` have changed: it must be rebuilt before it is used.
    var isStale = false
    // Here it takes the room that is left beside the two above.
    private let stateSize: Int32
    /// All of the user's events up to this place of the log have been seen.
    var position: Int64 = 0
    /// What the table has counted for it, in bytes.
    var countedBytes = 0
    /// The number of events, and of those that the model knows and counts.
    private(set) var eventCount = 0
    private(set) var knownCount = 0
    /// The history's revision (``UserHistory/revision``).
    var revision: Int64
    /// The number of events at the last checkpoint.
    var checkpointedCount = 0
    /// Rows of the items that were met before those of ``recent``, with the last time; nil until somebody asks.
    var older: [Int32: Int64]?
    private var latest = MetItems()
    // Neighbours in the order of use. The shard's dictionary keeps the states alive.
    unowned(unsafe) var lessRecent: UserState?
    unowned(unsafe) var moreRecent: UserState?

    /// The state before any event.
    init(_ user: RawID, _ state: RecurrentState, revision: Int64) {
        (self.user, floats, self.revision) = (user, state.values, revision)
        stateSize = Int32(state.values.count)
    }

    /// A copy of the model's state.
    var state: RecurrentState { RecurrentState(Array(floats.prefix(Int(stateSize)))) }

    /// The vector after the last event that the model knows; empty where there is none.
    var hidden: [Float] { Array(floats.dropFirst(Int(stateSize))) }

    /// The state after a pass, and the vector after its last event, in the memory of the ones before.
    func put(_ state: RecurrentState, hidden: ArraySlice<Float>) {
        let count = state.values.count + hidden.count
        if floats.count == count {
            floats.removeAll(keepingCapacity: true)
        } else {
            floats = []
            floats.reserveCapacity(count)
        }
        floats += state.values
        floats += hidden
    }

    /// Takes note of an event; `item` is nil where it does not move the state. The state itself is moved by the caller. O(1).
    func note(_ order: EventOrder, item: ItemID?) {
        last = order
        position = max(position, order.position)
        eventCount += 1
        guard let item else { return }
        knownCount += 1
        latest.append(Met(item, order.time))
        if latest.count > Self.window { remember(latest.removeFirst()) }
    }

    private func remember(_ met: Met) {
        if older != nil { older![met.row] = max(older![met.row] ?? .min, met.seconds) }
    }

    /// The number of events that came before those of ``recent``.
    var forgottenCount: Int { knownCount - latest.count }

    /// The latest items, oldest first: O(``window``).
    var recent: [Met] { latest.all }

    /// Rows of the items that were met at or after `seconds`, in any order, some twice. ``older`` must be there where anything was forgotten.
    func rows(metSince seconds: Int64) -> [Int32] {
        let recent = recent.lazy.filter { $0.seconds >= seconds }.map(\.row)
        return Array(recent) + (older ?? [:]).lazy.filter { $0.value >= seconds }.map(\.key)
    }

    /// What it occupies, in bytes, with what surrounds it: the object, the array's header, its share of the table, what malloc adds.
    var byteCount: Int {
        let id = user.text.utf8.count
        return 304 + 4 * floats.count + latest.byteCount + 24 * (older?.capacity ?? 0) + (id > 15 ? 48 + id : 0)
    }

    /// Continues from a checkpoint, whose latest items come beside it, oldest first.
    func resume(_ checkpoint: StateCheckpoint, _ content: CheckpointContent) {
        put(content.state, hidden: content.hidden[...])
        (last, eventCount, knownCount) = (checkpoint.last, checkpoint.eventCount, content.knownCount)
        checkpointedCount = checkpoint.eventCount
        for met in content.recent { latest.append(met) }
    }
}

/// What a checkpoint holds beside its place in the log.
struct CheckpointContent: Equatable {
    var state: RecurrentState
    var hidden: [Float]
    var knownCount: Int
    /// Oldest first.
    var recent: [Met]

    init(of user: UserState) {
        (state, hidden, knownCount, recent) = (user.state, user.hidden, user.knownCount, user.recent)
    }

    /// Reads what ``checkpoint(after:eventCount:revision:)`` wrote; nil where it cannot have been written by it for this model.
    init?(_ checkpoint: StateCheckpoint, for configuration: ModelConfiguration) {
        let bytes = checkpoint.state
        guard bytes.count >= 12 else { return nil }
        let sum = bytes.withUnsafeBytes {
            Self.checksum(of: UnsafeRawBufferPointer(rebasing: $0.dropLast(4)), at: checkpoint)
        }
        guard sum == Self.word(bytes, at: bytes.count - 4) else { return nil }
        let (known, isHidden) = (Int(Self.word(bytes, at: 0)), Self.word(bytes, at: 4))
        let (size, width) = (configuration.stateSize, configuration.hiddenSize)
        let floats = size + (isHidden == 1 ? width : 0)
        let rest = bytes.count - 12 - 4 * floats
        guard isHidden <= 1, rest >= 0, rest % 12 == 0, rest / 12 <= min(known, UserState.window) else { return nil }
        let values = (0..<floats).map { Float(bitPattern: Self.word(bytes, at: 8 + 4 * $0)) }
        guard let state = RecurrentState(values: Array(values.prefix(size)), for: configuration) else { return nil }
        self.state = state
        (hidden, knownCount) = (Array(values.dropFirst(size)), known)
        recent = []
        for index in 0..<rest / 12 {
            let place = 8 + 4 * floats + 12 * index
            let row = Int(Self.word(bytes, at: place))
            guard row < configuration.itemCount else { return nil }
            let seconds = UInt64(Self.word(bytes, at: place + 4)) | UInt64(Self.word(bytes, at: place + 8)) << 32
            recent.append(Met(row: Int32(row), seconds: Int64(bitPattern: seconds)))
        }
    }

    /// With its place in the log, as little-endian words: the number of known events, whether there is a hidden vector, the floats, the items and
    /// times, a checksum of these and of the place.
    func checkpoint(after last: EventOrder, eventCount: Int, revision: Int64) -> StateCheckpoint {
        var checkpoint = StateCheckpoint(last: last, eventCount: eventCount, revision: revision, state: [])
        var words = [UInt32(clamping: knownCount).littleEndian, UInt32(hidden.isEmpty ? 0 : 1).littleEndian]
        words.reserveCapacity(3 + state.values.count + hidden.count + 3 * recent.count)
        for value in state.values { words.append(value.bitPattern.littleEndian) }
        for value in hidden { words.append(value.bitPattern.littleEndian) }
        for each in recent {
            let seconds = UInt64(bitPattern: each.seconds)
            words += [UInt32(bitPattern: each.row), UInt32(truncatingIfNeeded: seconds), UInt32(seconds >> 32)].map(
                \.littleEndian)
        }
        words.append(words.withUnsafeBytes { Self.checksum(of: $0, at: checkpoint) }.littleEndian)
        checkpoint.state = words.withUnsafeBytes { Array($0) }
        return checkpoint
    }

    private static func word(_ bytes: [UInt8], at place: Int) -> UInt32 {
        bytes.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: UInt32.self)) }
    }

    private static func checksum(of bytes: UnsafeRawBufferPointer, at place: StateCheckpoint) -> UInt32 {
        let numbers = [
            place.last.time.microseconds, place.last.position, Int64(place.eventCount), place.revision,
        ].map(\.littleEndian)
        var sum = Checksum()
        sum.add(bytes)
        numbers.withUnsafeBytes { sum.add($0) }
        return UInt32(sum.text, radix: 16)!
    }
}
