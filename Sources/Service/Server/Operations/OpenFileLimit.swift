#if canImport(Glibc)
    import Glibc

    private let openFiles = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
#elseif canImport(Darwin)
    import Darwin

    private let openFiles = RLIMIT_NOFILE
#endif

/// The number of files and connections that the process may have open; nil where the system does not say.
func openFileLimit() -> Int? {
    var limit = rlimit()
    return getrlimit(openFiles, &limit) == 0 ? Int(clamping: limit.rlim_cur) : nil
}

/// Lets the process have `count` files and connections open, or as many as the system allows. Returns how many it may.
public func raiseOpenFileLimit(to count: Int) -> Int {
    var limit = rlimit()
    guard getrlimit(openFiles, &limit) == 0 else { return count }
    if limit.rlim_cur < rlim_t(count) {
        limit.rlim_cur = min(rlim_t(count), limit.rlim_max)
        _ = setrlimit(openFiles, &limit)
    }
    return openFileLimit() ?? count
}
