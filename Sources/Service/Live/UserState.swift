import Events
import FileSupport
import Identifiers
import Models

/// What is remembered of a user: the model's state and the latest items that it knows. Belongs to one shard's thread.
final class UserState {
    /// An item that the user has met, and when, in seconds since 1970: eight bytes.
    struct Met: Equatable {
        var row: Int32
        var seconds: UInt32

        init(_ item: ItemID, _ time: Timestamp) {
            row = Int32(item.row)
            seconds = UInt32(clamping: time.microseconds / 1_000_000)
        }
    }

    /// The most items that are kept: as many as the repeat-aware head looks at.
    static let window = 1024

    let user: RawID
    /// The model's state; nil only while a pass moves it.
    private var modelState: RecurrentState?
    /// The vector after the last event that the model knows; empty where there is none.
    var hidden: [Float] = []
    /// The last event that has been seen, whether the model knows it or not.
    var last: EventOrder?
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
    /// Whether events before ``last`` have changed: it must be rebuilt before it is used.
    var isStale = false
    /// Rows of the items that were met before those of ``recent``, with the last time; nil until somebody asks.
    var older: [Int32: UInt32]?
    /// The latest items that the model knows: a ring once there are ``window`` of them.
    private var met: [Met] = []
    private var oldest = 0
    // Neighbours in the order of use. The shard's dictionary keeps the states alive.
    unowned(unsafe) var lessRecent: UserState?
    unowned(unsafe) var moreRecent: UserState?

    /// The state before any event.
    init(_ user: RawID, _ state: RecurrentState, revision: Int64) {
        (self.user, modelState, self.revision) = (user, state, revision)
    }

    /// The model's state.
    var state: RecurrentState {
        get { modelState! }
        set { modelState = newValue }
    }

    /// Takes the state out, so that a pass changes it in place instead of a copy.
    func takeState() -> RecurrentState { modelState.take()! }

    /// The state after a pass, and the vector after its last event, in the memory of the ones before.
    func put(_ state: RecurrentState, hidden values: ArraySlice<Float>) {
        modelState = state
        if hidden.count != values.count { return hidden = Array(values) }
        for (index, value) in values.enumerated() { hidden[index] = value }
    }

    /// Takes note of an event; `item` is nil where it does not move the state. The state itself is moved by the caller. Amortised O(1).
    func note(_ order: EventOrder, item: ItemID?) {
        last = order
        position = max(position, order.position)
        eventCount += 1
        guard let item else { return }
        knownCount += 1
        append(Met(item, order.time))
    }

    private func append(_ event: Met) {
        guard met.count == Self.window else {
            // Eight at a time: doubling would take up to 16 bytes an item.
            if met.count == met.capacity { met.reserveCapacity(met.count + 8) }
            return met.append(event)
        }
        if older != nil { remember(met[oldest]) }
        met[oldest] = event
        oldest = (oldest + 1) % Self.window
    }

    private func remember(_ event: Met) { older![event.row] = max(older![event.row] ?? 0, event.seconds) }

    /// The number of events that came before those of ``recent``.
    var forgottenCount: Int { knownCount - met.count }

    /// The latest items, oldest first: O(``window``).
    var recent: [Met] { oldest == 0 ? met : Array(met[oldest...] + met[..<oldest]) }

    /// The latest items, oldest first, for the repeat-aware head.
    var recentItems: [ItemID] { recent.map { ItemID(row: Int($0.row)) } }

    /// Rows of the items that were met at or after `seconds`, in any order, some twice. ``older`` must be there where anything was forgotten.
    func rows(metSince seconds: UInt32) -> [Int32] {
        let recent = met.lazy.filter { $0.seconds >= seconds }.map(\.row)
        return Array(recent) + (older ?? [:]).lazy.filter { $0.value >= seconds }.map(\.key)
    }

    /// What it occupies, approximately, in bytes.
    var byteCount: Int {
        4 * (state.values.count + hidden.count) + 8 * met.capacity + 16 * (older?.capacity ?? 0) + 400
    }

    /// Continues from a checkpoint, whose latest items come beside it, oldest first.
    func resume(_ checkpoint: StateCheckpoint, _ content: CheckpointContent) {
        (state, hidden) = (content.state, content.hidden)
        (last, eventCount, knownCount) = (checkpoint.last, checkpoint.eventCount, content.knownCount)
        checkpointedCount = checkpoint.eventCount
        met = content.recent
    }
}

/// What a checkpoint holds beside its place in the log.
struct CheckpointContent: Equatable {
    var state: RecurrentState
    var hidden: [Float]
    var knownCount: Int
    /// Oldest first.
    var recent: [UserState.Met]

    init(of user: UserState) {
        (state, hidden, knownCount, recent) = (user.state, user.hidden, user.knownCount, user.recent)
    }

    /// Reads what ``bytes`` wrote; nil where it cannot have been written by it for this model.
    init?(_ bytes: [UInt8], for configuration: ModelConfiguration) {
        guard bytes.count >= 12 else { return nil }
        let sum = bytes.withUnsafeBytes { Self.checksum(of: UnsafeRawBufferPointer(rebasing: $0.dropLast(4))) }
        guard sum == Self.word(bytes, at: bytes.count - 4) else { return nil }
        let (known, isHidden) = (Int(Self.word(bytes, at: 0)), Self.word(bytes, at: 4))
        let (size, width) = (configuration.stateSize, configuration.hiddenSize)
        let floats = size + (isHidden == 1 ? width : 0)
        let rest = bytes.count - 12 - 4 * floats
        guard isHidden <= 1, rest >= 0, rest % 8 == 0, rest / 8 <= min(known, UserState.window) else { return nil }
        let values = (0..<floats).map { Float(bitPattern: Self.word(bytes, at: 8 + 4 * $0)) }
        guard let state = RecurrentState(values: Array(values.prefix(size)), for: configuration) else { return nil }
        self.state = state
        (hidden, knownCount) = (Array(values.dropFirst(size)), known)
        recent = []
        for index in 0..<rest / 8 {
            let place = 8 + 4 * floats + 8 * index
            let row = Int(Self.word(bytes, at: place))
            guard row < configuration.itemCount else { return nil }
            var met = UserState.Met(ItemID(row: row), Timestamp(microseconds: 0))
            met.seconds = Self.word(bytes, at: place + 4)
            recent.append(met)
        }
    }

    /// Little-endian words: the number of known events, whether there is a hidden vector, the floats, the items and times, a checksum.
    var bytes: [UInt8] {
        var words = [UInt32(clamping: knownCount).littleEndian, UInt32(hidden.isEmpty ? 0 : 1).littleEndian]
        words.reserveCapacity(3 + state.values.count + hidden.count + 2 * recent.count)
        for value in state.values { words.append(value.bitPattern.littleEndian) }
        for value in hidden { words.append(value.bitPattern.littleEndian) }
        for each in recent { words += [UInt32(bitPattern: each.row).littleEndian, each.seconds.littleEndian] }
        let sum = words.withUnsafeBytes { Self.checksum(of: $0) }
        words.append(sum.littleEndian)
        return words.withUnsafeBytes { Array($0) }
    }

    private static func word(_ bytes: [UInt8], at place: Int) -> UInt32 {
        bytes.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: UInt32.self)) }
    }

    private static func checksum(of bytes: UnsafeRawBufferPointer) -> UInt32 {
        var sum = Checksum()
        sum.add(bytes)
        return UInt32(sum.text, radix: 16)!
    }
}
