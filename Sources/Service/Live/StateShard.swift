import CoreMetrics
import Events
import Identifiers
import Logging
import Models
import Tensors

/// Some of the users: their live states, moved by one thread in the order of the log. Jobs that are waiting together run as one batch.
final class StateShard: @unchecked Sendable {  // everything but the queue belongs to the shard's thread
    /// What all shards use.
    struct Surroundings: Sendable {
        let log: any EventLog
        let reads: BlockingCalls
        let writer: LogWriter
        let ranking: RankQueue
        let explainer: Explainer
        let logger: Logger
        /// The most that the states of one shard may occupy, in bytes.
        let memory: Int
    }

    let queue = WorkQueue<ShardJob>()
    let surroundings: Surroundings
    var current: StateTable
    var preparation: Preparation?
    private var passes: [Advance] = []
    private var tableOfPasses: StateTable?

    /// A release that is being made ready.
    struct Preparation {
        let table: StateTable
        /// Users whose states are not ready, the most important last.
        var waiting: [RawID]
        var isRunning = 0
        var done: (@Sendable () -> Void)?
    }

    /// A state that is about to move, and what happens then.
    private struct Advance {
        let state: UserState
        let items: [ItemID]
        let finish: (UInt64) -> Void
    }

    /// Events between checkpoints of a user that is live: this bounds a rebuild.
    private static let checkpointEvents = 256
    /// Fewer events are quicker to read again than a checkpoint is to write.
    private static let fewestCheckpointEvents = 32
    /// Jobs of one batch.
    private static let batch = 64

    init(_ number: Int, _ release: Release, _ surroundings: Surroundings, in group: ThreadGroup) {
        self.surroundings = surroundings
        current = StateTable(release)
        group.start("recblr-states-\(number)") { [self] in run() }
    }

    private func run() {
        while case let jobs = queue.take(Self.batch), !jobs.isEmpty {
            for job in jobs { handle(job) }
            runPasses()
            evict()
        }
        for table in [current, preparation?.table].compactMap(\.self) { failWaiting(in: table) }
    }

    private func handle(_ job: ShardJob) {
        switch job {
        case .user(let job):
            handle(job, in: current)
            if let table = preparation?.table, case .events = job.kind {
                var silent = job
                silent.question = nil
                if table.users[job.user] != nil || table.rebuilds[job.user] != nil { handle(silent, in: table) }
            }
        case .session(let job): handle(job)
        case .changed(let user):
            for table in [current, preparation?.table].compactMap(\.self) { changed(user, in: table) }
        case .slice(let user, let identity, let result):
            guard let table = table(identity) else { return }
            receive(result, of: user, in: table)
        case .older(let job, let identity, let result): receive(result, for: job, identity)
        case .prepare(let release, let users, let done): prepare(release, users, done)
        case .release: switchRelease()
        case .abandon: preparation = nil
        case .checkpointAll(let done):
            runPasses()
            for user in current.users.values { checkpoint(user, in: current, ifMoreThan: Self.fewestCheckpointEvents) }
            done()
        }
    }

    private func table(_ identity: String) -> StateTable? {
        [current, preparation?.table].compactMap(\.self).first { $0.release.identity == identity }
    }

    // MARK: Users

    private func handle(_ job: UserJob, in table: StateTable) {
        if let rebuild = table.rebuilds[job.user] {
            if job.isLate { rebuild.mustRestart = true }
            return rebuild.waiting.append(job)
        }
        if let state = table.use(job.user) {
            if job.isLate || job.isLong { state.isStale = true }
            if !state.isStale { return proceed(job, state, in: table) }
        } else if case .events(let events) = job.kind, let first = events.first, first.isFirst, !job.isLate, !job.isLong
        {
            let state = UserState(job.user, table.initialState, revision: first.revision)
            table.add(state)
            return proceed(job, state, in: table)
        }
        // A stale state is rebuilt once, by the next one who asks.
        if job.question == nil, table.users[job.user] != nil { return }
        rebuild(job.user, for: job, in: table)
    }

    /// Moves a live state by the events that it has not seen and answers.
    func proceed(_ job: UserJob, _ state: UserState, in table: StateTable) {
        if passes.contains(where: { $0.state === state }) { runPasses() }
        let before = state.byteCount
        if state.older == nil { state.older = job.older }
        var items: [ItemID] = []
        if case .events(let events) = job.kind {
            for event in events where !event.isDuplicate && state.last.map({ $0 < event.stored.order }) ?? true {
                let item = table.release.item(of: event.stored.event)
                state.note(event.stored.order, item: item)
                if let item { items.append(item) }
            }
        }
        if table.users[job.user] === state { table.resized(from: before, to: state.byteCount) }
        advance(state, by: items, in: table) { [self] time in
            checkpoint(state, in: table, ifMoreThan: Self.checkpointEvents)
            if let question = job.question { answer(question, job.user, state, in: table, time) }
        }
    }

    // MARK: Passes

    /// Plans to move a state; `finish` gets the time of the pass in nanoseconds.
    func advance(
        _ state: UserState, by items: [ItemID], in table: StateTable, _ finish: @escaping (UInt64) -> Void
    ) {
        if tableOfPasses !== table { runPasses() }
        tableOfPasses = table
        passes.append(Advance(state: state, items: items, finish: finish))
    }

    /// Moves all states that wait for it, in as few passes as possible, and those that wait as a consequence.
    func runPasses() {
        while let table = tableOfPasses, !passes.isEmpty { runWaitingPasses(in: table) }
    }

    private func runWaitingPasses(in table: StateTable) {
        let advances = passes
        passes.removeAll(keepingCapacity: true)
        let start = ContinuousClock.now
        var done = [Int](repeating: 0, count: advances.count)
        while runPass(advances, &done, in: table) {}
        let time = ContinuousClock.now - start
        if done.contains(where: { $0 > 0 }) { LiveMetrics.passTime.recordNanoseconds(time.nanoseconds) }
        for advance in advances { advance.finish(advance.items.isEmpty ? 0 : UInt64(time.nanoseconds)) }
    }

    /// One pass over as many events as fit; false where there was nothing to do. `done` counts each state's events that have been seen.
    private func runPass(_ advances: [Advance], _ done: inout [Int], in table: StateTable) -> Bool {
        var (batch, members, room) = (PackedBatch(), [Int](), StateTable.passEvents)
        for (index, advance) in advances.enumerated() where done[index] < advance.items.count {
            guard room > 0, members.count < StateTable.passSequences else { break }
            let piece = advance.items[done[index]...].prefix(room)
            batch.append(piece)
            members.append(index)
            done[index] += piece.count
            room -= piece.count
        }
        guard !members.isEmpty else { return false }
        var states = members.map { advances[$0].state.takeState() }
        do {
            let hidden = try table.encoder.hidden(advancing: &states, by: batch)
            let values = table.release.model.backend.download(hidden)
            let width = hidden.columns
            for (row, member) in members.enumerated() {
                advances[member].state.put(states[row], hidden: values[row * width..<(row + 1) * width])
            }
        } catch {
            // Items come from the model's own vocabulary and states from its own passes.
            preconditionFailure("a pass over checked events failed: \(error)")
        }
        return true
    }

    // MARK: Memory

    /// Keeps a state in the log where it is worth it.
    func checkpoint(_ state: UserState, in table: StateTable, ifMoreThan events: Int) {
        guard let last = state.last, !state.isStale, state.eventCount - state.checkpointedCount >= events else {
            return
        }
        state.checkpointedCount = state.eventCount
        let content = CheckpointContent(of: state).bytes
        let checkpoint = StateCheckpoint(
            last: last, eventCount: state.eventCount, revision: state.revision, state: content)
        LiveMetrics.checkpoints.increment()
        // Refused where the history has changed meanwhile, and then nothing is lost.
        surroundings.writer.add(.checkpoint(user: state.user, model: table.release.identity, checkpoint)) { _ in }
    }

    /// Drops the states that have not been used for longest until the rest fits.
    private func evict() {
        let tables = [current, preparation?.table].compactMap(\.self)
        for table in tables {
            while table.byteCount > surroundings.memory / tables.count, let state = table.removeLeastRecent() {
                checkpoint(state, in: table, ifMoreThan: Self.fewestCheckpointEvents)
                LiveMetrics.evictions.increment()
            }
        }
    }
}

extension UserJob {
    /// Whether one of the events came before others that were there already.
    var isLate: Bool {
        guard case .events(let events) = kind else { return false }
        return events.contains { $0.isLate && !$0.isDuplicate }
    }

    /// Whether there are so many events that others would have to wait for them: they are read in slices instead.
    var isLong: Bool {
        guard case .events(let events) = kind else { return false }
        return events.count > 2 * StateTable.passEvents
    }
}
