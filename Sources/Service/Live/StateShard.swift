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
        /// Reads of histories.
        let reads: BlockingCalls
        let background: BlockingCalls
        let writer: LogWriter
        let ranking: RankQueue
        let explainer: Explainer
        let logger: Logger
        /// The most that the states of one shard may occupy, in bytes.
        let memory: Int
        /// How long a question may wait.
        let maximumWait: Duration
    }

    let queue = WorkQueue<ShardJob>()
    let surroundings: Surroundings
    var current: StateTable
    var preparation: Preparation?
    /// Questions that wait for items which their users met before the recent ones, by a number of each.
    var waitingForOlder: [Int: WaitingQuestion] = [:]
    var questionCount = 0
    private var tableCount = 1
    private let liveStates, stateBytes: Gauge

    /// A release that is being made ready.
    struct Preparation {
        let table: StateTable
        /// Users whose states are not ready, the most important last.
        var waiting: [RawID]
        var isRunning = 0
        var done: Reply<Void>?
    }

    /// More events than this at once would hold up others: they are read from the log in slices instead.
    fileprivate static let longJob = 2 * StateTable.passEvents
    /// Jobs of one batch.
    private static let batch = 64

    init(_ number: Int, _ release: Release, _ surroundings: Surroundings, in group: ThreadGroup) {
        self.surroundings = surroundings
        current = StateTable(release, number: 0)
        (liveStates, stateBytes) = (LiveMetrics.liveStates(shard: number), LiveMetrics.stateBytes(shard: number))
        group.start("recblr-states-\(number)") { [self] in run() }
    }

    private func run() {
        while case let jobs = queue.take(Self.batch), !jobs.isEmpty {
            for job in jobs { handle(job) }
            runPasses()
            evict()
            liveStates.record(tables.reduce(0) { $0 + $1.users.count })
            stateBytes.record(tables.reduce(0) { $0 + $1.byteCount })
        }
        abandonPreparation(.stopping)
        failWaiting(in: current)
        for waiting in waitingForOlder.values { waiting.question.reply(.failure(.stopping)) }
    }

    /// The table of the release that answers, and of the one that is being made ready.
    var tables: [StateTable] { preparation.map { [current, $0.table] } ?? [current] }

    /// A table for a release.
    func makeTable(_ release: Release) -> StateTable {
        defer { tableCount += 1 }
        return StateTable(release, number: tableCount)
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
        case .deleted(let user): for table in tables { deleted(user, in: table) }
        case .slice(let user, let number, let result):
            guard let table = tables.first(where: { $0.number == number }) else { return }
            receive(result, of: user, in: table)
        case .older(let number, let result): receive(result, forQuestion: number)
        case .prepare(let release, let users, let done): prepare(release, users, done)
        case .release: switchRelease()
        case .abandon: abandonPreparation(.stopping)
        case .checkpointAll(let done):
            runPasses()
            checkpointAll()
            done()
        }
    }

    // MARK: Users

    func handle(_ job: UserJob, in table: StateTable) {
        if let rebuild = table.rebuilds[job.user] { return rebuild.waiting.append(job) }
        if let state = table.use(job.user) {
            let unseen = job.events(unseenBy: state)
            if unseen.count > Self.longJob || unseen.contains(where: \.isLate) { state.isStale = true }
            if !state.isStale { return proceed(job, state, in: table) }
        } else if let revision = job.revisionOfBeginning {
            let state = UserState(job.user, table.initialState, revision: revision)
            table.add(state)
            return proceed(job, state, in: table)
        }
        // A stale state is rebuilt once, by the next one who asks.
        if job.question == nil, table.users[job.user] != nil { return }
        if case .read = job.kind, let question = job.question, surroundings.reads.wait > surroundings.maximumWait {
            LiveMetrics.overloads.increment()
            return question.reply(.failure(.overloaded(after: surroundings.reads.wait)))
        }
        rebuild(job.user, for: job, in: table)
    }

    /// Moves a live state by the events that it has not seen and answers.
    func proceed(_ job: UserJob, _ state: UserState, in table: StateTable) {
        if table.advances.contains(where: { $0.state === state }) { runPasses(in: table) }
        var known: [Met] = []
        for event in job.events(unseenBy: state) {
            let item = table.release.item(of: event.stored.event)
            state.note(event.stored.order, item: item)
            if let item { known.append(Met(item, event.stored.order.time)) }
        }
        advance(state, by: known, in: table) { [self] time in
            table.count(state)
            checkpoint(state, in: table, after: Self.checkpointEvents)
            if let question = job.question { answer(question, job.user, state, in: table, time) }
        }
    }

    // MARK: Passes

    /// Plans to move a state; `finish` gets the time of the pass in nanoseconds.
    func advance(
        _ state: UserState, by events: [Met], in table: StateTable, _ finish: @escaping (UInt64) -> Void
    ) {
        table.advances.append(Advance(state: state, events: events, finish: finish))
    }

    /// Moves all states that wait for it, in as few passes as possible, and those that wait as a consequence.
    func runPasses() {
        while let table = tables.first(where: { !$0.advances.isEmpty }) { runPasses(in: table) }
    }

    func runPasses(in table: StateTable) {
        let advances = table.advances
        table.advances.removeAll(keepingCapacity: true)
        let start = ContinuousClock.now
        var done = [Int](repeating: 0, count: advances.count)
        while runPass(advances, &done, in: table) {}
        let time = ContinuousClock.now - start
        if done.contains(where: { $0 > 0 }) { LiveMetrics.passTime.recordNanoseconds(time.nanoseconds) }
        for advance in advances { advance.finish(advance.events.isEmpty ? 0 : UInt64(time.nanoseconds)) }
    }

    /// One pass over as many events as fit; false where there was nothing to do. `done` counts each state's events that have been seen.
    private func runPass(_ advances: [Advance], _ done: inout [Int], in table: StateTable) -> Bool {
        var (batch, members, room) = (PackedBatch(), [Int](), StateTable.passEvents)
        let usesTime = table.release.model.configuration.usesTime
        for (index, advance) in advances.enumerated() where done[index] < advance.events.count {
            guard room > 0, members.count < StateTable.passSequences else { break }
            let piece = advance.events[done[index]...].prefix(room)
            batch.append(
                piece.map(\.item), times: usesTime ? EventTime.history(seconds: piece.map(\.seconds)) : [])
            members.append(index)
            done[index] += piece.count
            room -= piece.count
        }
        guard !members.isEmpty else { return false }
        var states = members.map { advances[$0].state.state }
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
}

extension UserJob {
    /// The events that a state has not seen, in the order of the log.
    func events(unseenBy state: UserState) -> [AppendedEvent] {
        guard case .events(let events) = kind else { return [] }
        return events.filter { !$0.isDuplicate && $0.stored.order.position > state.position }
    }

    /// Where these events are all of the user's, and few and in order: the history's revision.
    var revisionOfBeginning: Int64? {
        guard case .events(let events) = kind, let first = events.first, first.isFirst,
            events.count <= StateShard.longJob, !events.contains(where: { $0.isLate && !$0.isDuplicate })
        else { return nil }
        return first.revision
    }
}
