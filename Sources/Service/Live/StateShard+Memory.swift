import CoreMetrics
import Dispatch
import Events

/// Which states stay in memory, and which are kept in the log.
extension StateShard {
    /// Events between checkpoints of a user that is live: this bounds a rebuild.
    static let checkpointEvents = 256
    /// Fewer events are quicker to read again than a checkpoint is to write.
    private static let fewestCheckpointEvents = 32
    private static let checkpointsAtOnce = 256

    /// Keeps a state in the log where it has seen so many `events` since it was last kept.
    func checkpoint(_ state: UserState, in table: StateTable, after events: Int) {
        guard let last = state.last, !state.isStale, state.eventCount - state.checkpointedCount >= events else {
            return
        }
        state.checkpointedCount = state.eventCount
        let checkpoint = CheckpointContent(of: state).checkpoint(
            after: last, eventCount: state.eventCount, revision: state.revision)
        LiveMetrics.checkpoints.increment()
        // Refused where the history has changed meanwhile, and then nothing is lost.
        surroundings.writer.add(.checkpoint(user: state.user, model: table.release.identity, checkpoint)) { _ in }
    }

    /// Keeps all states that are worth it, some at a time, so that their copies need little memory.
    func checkpointAll() {
        let states = Array(current.users.values)
        for start in stride(from: 0, to: states.count, by: Self.checkpointsAtOnce) {
            for state in states[start...].prefix(Self.checkpointsAtOnce) {
                checkpoint(state, in: current, after: Self.fewestCheckpointEvents)
            }
            let written = DispatchSemaphore(value: 0)
            surroundings.writer.flush { written.signal() }
            written.wait()
        }
    }

    /// Drops the states that have not been used for longest until the rest fits. A release that is being made ready takes the place of what
    /// answers bit by bit, up to half of it: half at once would be as many checkpoints at once.
    func evict() {
        var room = surroundings.memory
        if let table = preparation?.table {
            evict(from: table, until: room / 2)
            room -= table.byteCount
        }
        evict(from: current, until: room)
    }

    private func evict(from table: StateTable, until bytes: Int) {
        while table.byteCount > bytes, let state = table.removeLeastRecent() {
            checkpoint(state, in: table, after: Self.fewestCheckpointEvents)
            LiveMetrics.evictions.increment()
        }
    }
}
