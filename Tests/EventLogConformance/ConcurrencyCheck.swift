import Dispatch
import Events
import Identifiers
import Synchronization
import Testing

var concurrencyCheck: ConformanceCheck {
    ConformanceCheck("Readers see each group whole, whatever is written meanwhile") { store in
        let log = try store.log
        let isDone = Atomic(false)
        let torn = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            defer { if thread == 0 { isDone.store(true, ordering: .relaxed) } }
            do {
                if thread == 0 { try write(log) } else { while !isDone.load(ordering: .relaxed) { try read(log) } }
            } catch {
                torn.withLock { $0.append("\(error)") }
            }
        }
        #expect(torn.withLock { $0 } == [])
        #expect(try store.log.eventCount() == 100 * 6)
    }
}

/// Groups of which each adds three events to two users, and now and then forgets them.
private func write(_ log: any EventLog) throws {
    for group in 0..<150 {
        let events = (0..<3).map { event(RawID("\(group).\($0)"), at: Int64(group)) }
        var changes = [LogChange.append(events), .append(events.map { moved($0, to: "v") })]
        if group == 49 { changes += [.deleteUser("u"), .deleteUser("v")] }
        _ = try log.commit(changes, now: .seconds(1000))
    }
}

private func moved(_ event: NewEvent, to user: RawID) -> NewEvent {
    var event = event
    event.user = user
    return event
}

/// Throws where a group is half there, or an order of reading goes back in time.
private func read(_ log: any EventLog) throws {
    let counts = try log.users(after: nil, limit: 9).map(\.eventCount)
    guard counts.isEmpty || (counts.count == 2 && counts[0] == counts[1] && counts[0] % 3 == 0) else {
        throw Unexpected()
    }
    guard let history = try log.history(of: "u", model: "m", limit: .max) else { return }
    guard history.events.count % 3 == 0, !history.hasMore else { throw Unexpected() }
    guard try log.eventCount() % 6 == 0 else { throw Unexpected() }
}
