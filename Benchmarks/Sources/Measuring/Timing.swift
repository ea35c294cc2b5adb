#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Seconds since a moment.
func seconds(since start: ContinuousClock.Instant) -> Double { (ContinuousClock.now - start) / .seconds(1) }

/// The middle of `values`, which must not be empty; the upper of two middles.
func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

/// Median seconds of `body`, after a tenth of the runs (one at least) to warm up.
func medianTime(of runs: Int, _ body: (Int) -> Void) -> Double {
    for run in 0..<max(1, runs / 10) { body(run) }
    return median(
        (0..<runs).map { run in
            let start = ContinuousClock.now
            body(run)
            return seconds(since: start)
        })
}

/// Median processor time in seconds of `body`, which runs on the calling thread alone, for about `budget` seconds after one
/// run to warm up. It hardly depends on other processes.
func medianThreadTime(for budget: Double, _ body: () -> Void) -> Double { median(threadTimes(for: budget, body)) }

/// Processor time of the fastest run, for measuring limits.
func bestThreadTime(for budget: Double, _ body: () -> Void) -> Double { threadTimes(for: budget, body).min()! }

/// 200 runs at most, and three at least unless one alone takes longer than the budget.
private func threadTimes(for budget: Double, _ body: () -> Void) -> [Double] {
    func once() -> Double {
        let start = threadSeconds()
        body()
        return threadSeconds() - start
    }
    let first = once()
    let runs = min(200, max(first > budget ? 1 : 3, Int(budget / max(1e-9, first))))
    return (0..<runs).map { _ in once() }
}

/// Processor time of the calling thread in seconds.
func threadSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
