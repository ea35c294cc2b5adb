import CoreMetrics
import Events
import Identifiers
import Logging
import Models

/// Rebuilding states from checkpoint and log, in slices between which other users are served.
extension StateShard {
    /// Rebuilds that run beside each other to make a release ready. Users who ask wait for the passes of as many.
    private static let backgroundRebuilds = 2

    /// Begins to rebuild a state; `job` goes on when it is there.
    func rebuild(_ user: RawID, for job: UserJob?, in table: StateTable) {
        table.remove(user)
        let rebuild = Rebuild()
        rebuild.waiting = job.map { [$0] } ?? []
        rebuild.isBackground = job == nil
        table.rebuilds[user] = rebuild
        LiveMetrics.rebuilds.increment()
        readFirst(user, in: table)
    }

    /// Reads the checkpoint and the first events after it.
    private func readFirst(_ user: RawID, withCheckpoint: Bool = true, in table: StateTable) {
        let (release, log) = (table.release, surroundings.log)
        // No model has an empty identity, and so no checkpoint.
        let model = withCheckpoint ? release.identity : ""
        read(user, table) { () throws(EventLogError) in
            guard let history = try log.history(of: user, model: model, limit: StateTable.passEvents) else {
                return nil
            }
            return HistorySlice(
                checkpoint: history.checkpoint, events: Self.events(history.events, release),
                hasMore: history.hasMore, moment: (history.revision, history.position))
        }
    }

    /// Reads the events after those that are there.
    private func readMore(_ user: RawID, after last: EventOrder, in table: StateTable) {
        let (release, log) = (table.release, surroundings.log)
        read(user, table) { () throws(EventLogError) in
            let events = try log.events(of: user, after: last, limit: StateTable.passEvents)
            return HistorySlice(
                checkpoint: nil, events: Self.events(events, release),
                hasMore: events.count == StateTable.passEvents, moment: nil)
        }
    }

    private static func events(_ events: [StoredEvent], _ release: Release) -> [HistorySlice.Event] {
        events.map { HistorySlice.Event(order: $0.order, item: release.item(of: $0.event)) }
    }

    private func read(
        _ user: RawID, _ table: StateTable, _ body: @escaping @Sendable () throws(EventLogError) -> HistorySlice?
    ) {
        let isAwaited = table.rebuilds[user]?.waiting.isEmpty == false
        let reads = isAwaited ? surroundings.reads : surroundings.background
        // Where the shard has ended, it has told all who waited.
        reads.run { [queue, number = table.number] in
            let result = Result<HistorySlice?, EventLogError>(catching: body).mapError(ServiceError.log)
            _ = queue.add(.slice(user, table: number, result))
        } orElse: { [queue, number = table.number] in
            _ = queue.add(.slice(user, table: number, .failure(.stopping)))
        }
    }

    /// Moves a state that is being rebuilt by the next slice of its history.
    func receive(_ result: Result<HistorySlice?, ServiceError>, of user: RawID, in table: StateTable) {
        guard let rebuild = table.rebuilds[user] else { return }
        switch result {
        case .failure(let error): fail(rebuild, user, error, in: table)
        case .success(nil):  // nothing is known of the user
            rebuild.state = nil
            finish(rebuild, user, in: table)
        case .success(let slice?):
            if rebuild.state == nil, !begin(rebuild, user, slice, in: table) { return }
            move(rebuild, user, slice, in: table)
        }
    }

    /// False where the checkpoint is not to be used and the history is read again from its first event.
    private func begin(_ rebuild: Rebuild, _ user: RawID, _ slice: HistorySlice, in table: StateTable) -> Bool {
        let model = table.release.model
        let state = UserState(user, table.initialState, revision: slice.moment?.revision ?? 0)
        if let checkpoint = slice.checkpoint {
            guard let content = CheckpointContent(checkpoint, for: model.configuration) else {
                LiveMetrics.damagedCheckpoints.increment()
                surroundings.logger.warning(
                    "A damaged checkpoint is passed over: the state is rebuilt from all events.")
                readFirst(user, withCheckpoint: false, in: table)
                return false
            }
            state.resume(checkpoint, content)
        }
        state.position = slice.moment?.position ?? 0
        rebuild.state = state
        return true
    }

    private func move(_ rebuild: Rebuild, _ user: RawID, _ slice: HistorySlice, in table: StateTable) {
        let state = rebuild.state!
        // What has come since the rebuild began also comes as a job, and waits for it.
        let events = slice.events.filter { $0.order.position <= state.position }
        LiveMetrics.rebuiltEvents.increment(by: events.count)
        for event in events { state.note(event.order, item: event.item) }
        if slice.hasMore, let last = slice.events.last { readMore(user, after: last.order, in: table) }
        advance(state, by: events.compactMap(\.met), in: table) { [self] _ in
            if !slice.hasMore { finish(rebuild, user, in: table) }
        }
        // The next slice must find this one done.
        if slice.hasMore { runPasses(in: table) }
    }

    private func finish(_ rebuild: Rebuild, _ user: RawID, in table: StateTable) {
        if rebuild.mustRestart {
            (rebuild.mustRestart, rebuild.state) = (false, nil)
            return readFirst(user, in: table)
        }
        table.rebuilds[user] = nil
        if let state = rebuild.state {
            table.add(state)
            checkpoint(state, in: table, after: Self.checkpointEvents)
            for job in rebuild.waiting { handle(job, in: table) }
        } else {
            let nobody = UserState(user, table.initialState, revision: 0)
            for job in rebuild.waiting { proceed(job, nobody, in: table) }
        }
        if rebuild.isBackground { backgroundRebuildEnded() }
    }

    private func fail(_ rebuild: Rebuild, _ user: RawID, _ error: ServiceError, in table: StateTable) {
        table.rebuilds[user] = nil
        for job in rebuild.waiting { job.question?.reply(.failure(error)) }
        if rebuild.isBackground { backgroundRebuildEnded() }
    }

    /// The service ends: nobody waits any longer.
    func failWaiting(in table: StateTable) {
        for (user, rebuild) in table.rebuilds { fail(rebuild, user, .stopping, in: table) }
    }

    /// Something of a user has been deleted: the state is not used any more.
    func deleted(_ user: RawID, in table: StateTable) {
        table.rebuilds[user]?.mustRestart = true
        table.remove(user)
    }

    // MARK: Releases

    /// Begins to make states ready for a release: those that are live here, and those of `users`, whose histories are long.
    func prepare(_ release: Release, _ users: [RawID], _ done: @escaping Reply<Void>) {
        var room = surroundings.memory / 2
        let live = current.usersByUse.prefix { user in
            room -= current.users[user]!.byteCount
            return room >= 0
        }
        preparation = Preparation(table: makeTable(release), waiting: users + live.reversed(), done: done)
        startBackgroundRebuilds()
    }

    private func startBackgroundRebuilds() {
        while let preparation, preparation.isRunning < Self.backgroundRebuilds, let user = preparation.waiting.last {
            self.preparation!.waiting.removeLast()
            let table = preparation.table
            if table.users[user] != nil || table.rebuilds[user] != nil { continue }
            self.preparation!.isRunning += 1
            rebuild(user, for: nil, in: table)
        }
        if let preparation, preparation.isRunning == 0, let done = preparation.done {
            self.preparation!.done = nil
            done(.success(()))
        }
    }

    private func backgroundRebuildEnded() {
        guard preparation != nil else { return }
        preparation!.isRunning -= 1
        startBackgroundRebuilds()
    }

    /// The prepared release does not come.
    func abandonPreparation(_ reason: ServiceError) {
        guard let abandoned = preparation else { return }
        preparation = nil
        abandoned.done?(.failure(reason))
    }

    /// The prepared release answers from the next job on. What waited for a rebuild under the old one waits for one under the new one.
    func switchRelease() {
        guard let preparation else { return }
        runPasses()
        let old = current
        current = preparation.table
        self.preparation = nil
        for job in old.rebuilds.values.flatMap(\.waiting) where job.question != nil {
            // Its events are in the log.
            handle(UserJob(user: job.user, kind: .read, question: job.question), in: current)
        }
        // Nobody waits while a million states are freed.
        nonisolated(unsafe) let states = old.takeAll()
        let free: @Sendable () -> Void = { withExtendedLifetime(states) {} }
        surroundings.reads.run(free, orElse: free)
    }
}
