import CReadiness

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// When requests are sent.
enum Arrivals: Encodable, Sendable {
    /// At moments of a Poisson process, so many a second, whatever the server does. A request that finds no free connection waits, and
    /// its time counts from when it should have been sent.
    case open(perSecond: Double)
    /// On each connection as soon as the one before is answered.
    case closed
}

/// What is asked of a server, how, and for how long.
struct Load: Sendable {
    let kind: LoadKind
    let arrivals: Arrivals
    let connections: Int
    let users: Int
    let items: [String]
    let seconds: Double
    /// Not counted, before `seconds`.
    var warmUpSeconds = 2.0
    var seed: UInt64 = 1
}

/// One thread that sends requests and reads replies. It shares the machine with the server, so it does as little as it can.
struct LoadGenerator {
    private let load: Load
    private let address: ServerAddress
    private let process: Int32
    private var requests: RequestRing
    private var generator: SplitMix
    private var connections: [Connection]
    /// When the request under way on each connection should have been sent.
    private var scheduled: [UInt64]
    private var idle: [Int]
    private var isBusy: [Bool]
    private let readiness: Readiness
    private var keys = [UInt32](repeating: 0, count: 64)
    private var outcome: LoadOutcome
    private let begin: UInt64
    private let end: UInt64
    private var next: UInt64

    /// `process` is the server's, for its memory and processor time.
    init(_ load: Load, to address: ServerAddress, process: Int32) throws {
        (self.load, self.address, self.process) = (load, address, process)
        generator = SplitMix(seed: load.seed)
        let run = String(generator.next() ^ nanoseconds(), radix: 36)
        requests = RequestRing(load.kind, users: load.users, items: load.items, run: run, seed: load.seed)
        connections = try (0..<load.connections).map { _ in try Connection(to: address) }
        readiness = try Readiness()
        for (number, connection) in connections.enumerated() { try readiness.watch(connection, number) }
        scheduled = Array(repeating: 0, count: load.connections)
        isBusy = Array(repeating: false, count: load.connections)
        idle = Array(0..<load.connections)
        next = nanoseconds()
        begin = next + UInt64(load.warmUpSeconds * 1e9)
        end = begin + UInt64(load.seconds * 1e9)
        outcome = LoadOutcome(begin: begin, end: end)
    }

    /// Sends until the time is over, and waits for what is under way, at most ten seconds.
    mutating func run() throws -> LoadOutcome {
        var started = ProcessUsage(of: process)
        var (hasBegun, nextSample) = (false, begin)
        while true {
            let now = nanoseconds()
            try startRequests(now)
            if now >= end, idle.count == connections.count || now >= end + 10_000_000_000 { break }
            if now >= begin, !hasBegun { (hasBegun, started) = (true, ProcessUsage(of: process)) }
            if now >= nextSample, now < end {
                outcome.noteMemory(ProcessUsage(of: process).resident, at: now)
                nextSample += max(1, (end - begin) / 50)
            }
            try awaitReplies(now)
        }
        if case .open = load.arrivals { outcome.unsent = countUnsent() }
        outcome.unanswered = connections.count - idle.count
        outcome.processorSeconds = ProcessUsage(of: process).processorSeconds - started.processorSeconds
        return outcome
    }

    /// Sends what is due. What was due just before the end is sent after it where this thread had to wait for a core.
    private mutating func startRequests(_ now: UInt64) throws {
        var broken: [Int] = []
        let lastMoment = load.arrivals.areClosed ? end : end + 100_000_000
        while !idle.isEmpty, now < lastMoment, load.arrivals.areClosed || next <= min(now, end) {
            let connection = idle.removeLast()
            scheduled[connection] = load.arrivals.areClosed ? now : next
            do {
                try connections[connection].begin(requests.next())
                isBusy[connection] = true
                if connections[connection].hasOutput { try readiness.watchAgain(connections[connection], connection) }
            } catch {
                outcome.note(status: 0, scheduled: scheduled[connection], now: now)
                try reopen(connection)
                broken.append(connection)
            }
            advanceSchedule()
        }
        idle += broken
    }

    private mutating func advanceSchedule() {
        guard case .open(let rate) = load.arrivals else { return }
        next += UInt64(-Double.random(in: .leastNonzeroMagnitude..<1, using: &generator).logarithm / rate * 1e9)
    }

    /// Requests that should have been sent before the end and found no connection.
    private mutating func countUnsent() -> Int {
        var count = 0
        while next <= end {
            count += 1
            advanceSchedule()
        }
        return count
    }

    private mutating func awaitReplies(_ now: UInt64) throws {
        let due = now < end && !load.arrivals.areClosed && !idle.isEmpty ? next : now + 20_000_000
        let count = readiness_wait(readiness.descriptor, &keys, due > now ? min(due - now, 20_000_000) : 0)
        for key in keys.prefix(Int(count)) { try goOn(Int(key)) }
    }

    /// Goes on with what a connection is at.
    private mutating func goOn(_ number: Int) throws {
        do {
            if connections[number].hasOutput {
                try connections[number].continueSending()
                try readiness.watchAgain(connections[number], number)
            }
            guard let reply = try connections[number].receive() else { return }
            outcome.note(status: reply.status, scheduled: scheduled[number], now: nanoseconds())
        } catch {
            // A connection that the server closes between two requests is no failure.
            if isBusy[number] { outcome.note(status: 0, scheduled: scheduled[number], now: nanoseconds()) }
            try reopen(number)
            guard isBusy[number] else { return }
        }
        isBusy[number] = false
        idle.append(number)
    }

    private mutating func reopen(_ number: Int) throws {
        connections[number] = try Connection(to: address)
        try readiness.watch(connections[number], number)
    }
}

extension Arrivals {
    fileprivate var areClosed: Bool {
        if case .closed = self { true } else { false }
    }
}

extension Double {
    fileprivate var logarithm: Double { log(self) }
}
