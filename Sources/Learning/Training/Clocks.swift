/// The time of a run, including that of earlier processes.
struct RunClock {
    let earlierSeconds: Double
    private let start = ContinuousClock.now
    var seconds: Double { earlierSeconds + Training.seconds(since: start) }

    init(earlierSeconds: Double) { self.earlierSeconds = earlierSeconds }
}

/// Measures tokens per second.
struct Stopwatch {
    private let start = ContinuousClock.now
    var tokens = 0
    var tokensPerSecond: Double { Double(tokens) / max(1e-9, seconds(since: start)) }
}

private func seconds(since start: ContinuousClock.Instant) -> Double {
    (ContinuousClock.now - start) / .seconds(1)
}
