#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A lock on a file or a folder for as long as it lives. The system takes it back however the program ends.
public final class FileLock: Sendable {
    private let descriptor: Int32

    /// What became of an attempt.
    public enum Attempt {
        /// It is ours.
        case held(FileLock)
        /// Another process has it.
        case taken
        /// Nothing is there, or the file system knows no locks.
        case impossible
    }

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Tries to lock what is at a path, without waiting.
    public static func attempt(_ path: String) -> Attempt {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return .impossible }
        let lock = FileLock(descriptor)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return errno == EWOULDBLOCK ? .taken : .impossible }
        return isSame(descriptor, path) ? .held(lock) : .impossible  // else it was renamed or removed meanwhile
    }

    /// Locks a file that this process has just made. false: another process removed it in between.
    static func hold(_ descriptor: Int32, at path: String) -> Bool {
        flock(descriptor, LOCK_EX | LOCK_NB)  // where the file system knows no locks, nobody removes it
        return isSame(descriptor, path)
    }
}

/// Whether a path leads to the very file that is open.
func isSame(_ descriptor: Int32, _ path: String) -> Bool {
    var (opened, found) = (stat(), stat())
    guard fstat(descriptor, &opened) == 0, lstat(path, &found) == 0 else { return false }
    return opened.st_dev == found.st_dev && opened.st_ino == found.st_ino
}
