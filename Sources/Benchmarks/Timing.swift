#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Seconds since a moment.
public func seconds(since start: ContinuousClock.Instant) -> Double { (ContinuousClock.now - start) / .seconds(1) }

/// The middle of `values`, which must not be empty; the upper of two middles.
public func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

/// Median seconds of `body`, after a tenth of the runs (one at least) to warm up.
public func medianTime(of runs: Int, _ body: (Int) -> Void) -> Double {
    for run in 0..<max(1, runs / 10) { body(run) }
    return median(
        (0..<runs).map { run in
            let start = ContinuousClock.now
            body(run)
            return seconds(since: start)
        })
}

/// Median seconds of `body`, run for about `budget` seconds after one run to warm up.
func medianTime(for budget: Double, _ body: () -> Void) -> Double { median(times(for: budget, body)) }

/// Seconds of the fastest run: a limit is what can be reached, whatever else ran meanwhile.
func bestTime(for budget: Double, _ body: () -> Void) -> Double { times(for: budget, body).min()! }

/// 200 runs at most, and three at least unless one alone takes longer than the budget.
private func times(for budget: Double, _ body: () -> Void) -> [Double] {
    func once() -> Double {
        let start = ContinuousClock.now
        body()
        return seconds(since: start)
    }
    let first = once()
    let runs = min(200, max(first > budget ? 1 : 3, Int(budget / max(1e-9, first))))
    return (0..<runs).map { _ in once() }
}

/// Processor time beside time on the clock of what ran since it was made: 1 for one thread that nobody disturbed.
struct Stopwatch {
    private let start = ContinuousClock.now
    private let processorStart = processorSeconds()

    var wall: Double { seconds(since: start) }
    var processor: Double { processorSeconds() - processorStart }
}

/// Seconds that the threads of this process have run.
private func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
