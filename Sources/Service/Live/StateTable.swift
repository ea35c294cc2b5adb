import Events
import Identifiers
import Models

/// The live states of one release in one shard, the least recently used first to go.
final class StateTable {
    let release: Release
    /// No other table of the shard has had it: what was read for one table does not go to another, whatever their releases.
    let number: Int
    let encoder: SequenceEncoder
    /// The state before any event.
    let initialState: RecurrentState
    private(set) var users: [RawID: UserState] = [:]
    /// The rebuilds that are under way.
    var rebuilds: [RawID: Rebuild] = [:]
    /// States that are about to move.
    var advances: [Advance] = []
    /// What the states occupy, in bytes.
    private(set) var byteCount = 0
    private var mostRecent: UserState?
    private unowned(unsafe) var leastRecent: UserState?

    /// Events of one pass. Smaller passes would cost more an event, larger ones would hold up other users.
    static let passEvents = 256
    /// Sequences of one pass.
    static let passSequences = 64

    init(_ release: Release, number: Int) {
        (self.release, self.number) = (release, number)
        initialState = release.model.initialState()
        encoder = SequenceEncoder(release.model, tokens: Self.passEvents, sequences: Self.passSequences)
    }

    /// The user's state, which becomes the most recently used one; nil where it is not live.
    func use(_ user: RawID) -> UserState? {
        guard let state = users[user] else { return nil }
        if state !== mostRecent {
            unlink(state)
            link(state)
        }
        return state
    }

    /// A new user's state.
    func add(_ state: UserState) {
        remove(state.user)
        users[state.user] = state
        link(state)
        count(state)
    }

    /// Counts what a state has grown by.
    func count(_ state: UserState) {
        guard users[state.user] === state else { return }
        byteCount += state.byteCount - state.countedBytes
        state.countedBytes = state.byteCount
    }

    /// Forgets a state; it is not deleted from the log.
    @discardableResult
    func remove(_ user: RawID) -> UserState? {
        guard let state = users.removeValue(forKey: user) else { return nil }
        byteCount -= state.countedBytes
        state.countedBytes = 0
        unlink(state)
        return state
    }

    /// Removes the state that has not been used for longest.
    func removeLeastRecent() -> UserState? {
        guard let state = leastRecent else { return nil }
        return remove(state.user)
    }

    /// Hands over all states and forgets them.
    func takeAll() -> [RawID: UserState] {
        defer { (users, mostRecent, leastRecent, byteCount) = ([:], nil, nil, 0) }
        return users
    }

    /// The users with live states, the most recently used first.
    var usersByUse: [RawID] {
        var (list, next) = ([RawID](), mostRecent)
        while let state = next {
            list.append(state.user)
            next = state.lessRecent
        }
        return list
    }

    private func link(_ state: UserState) {
        (state.moreRecent, state.lessRecent) = (nil, mostRecent)
        mostRecent?.moreRecent = state
        mostRecent = state
        if leastRecent == nil { leastRecent = state }
    }

    private func unlink(_ state: UserState) {
        let (more, less) = (state.moreRecent, state.lessRecent)
        if let more { more.lessRecent = less } else { mostRecent = less }
        if let less { less.moreRecent = more } else { leastRecent = more }
        (state.moreRecent, state.lessRecent) = (nil, nil)
    }
}

/// A state that is about to move.
struct Advance {
    let state: UserState
    /// The items of its new events, with their times.
    let events: [Met]
    /// Gets the time of the pass in nanoseconds; zero where nothing moved.
    let finish: (UInt64) -> Void
}

/// A state that is being rebuilt from the log, up to the place that the log had at the beginning, and the requests that wait for it.
final class Rebuild {
    var state: UserState?
    /// Requests that go on when it is done, in order.
    var waiting: [UserJob] = []
    /// Whether something that was read has been deleted: it must begin again.
    var mustRestart = false
    /// Whether nobody waits for it: the state is made ready for a release.
    var isBackground = false
}
