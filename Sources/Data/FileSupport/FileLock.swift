#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A lock on a file or a folder, held as long as the object exists. The system releases it when the process ends, in any way.
public final class FileLock: Sendable {
    private let descriptor: Int32

    /// The result of an attempt to lock.
    public enum Attempt {
        /// This process has the lock.
        case held(FileLock)
        /// Another process has the lock.
        case taken
        /// There is no such file, or the file system has no locks.
        case impossible
    }

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit {
        // Closing alone would not do: a program that is just being started has a copy of the descriptor, and with it the lock.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Tries to lock the file or folder at a path, without waiting. With `creating`, an empty file is made where nothing is.
    public static func attempt(_ path: String, creating: Bool = false) -> Attempt {
        let descriptor = open(
            path, (creating ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
        guard descriptor >= 0 else { return .impossible }
        let lock = FileLock(descriptor)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return errno == EWOULDBLOCK ? .taken : .impossible }
        return isSame(descriptor, path) ? .held(lock) : .impossible  // otherwise it was renamed or removed meanwhile
    }

    /// Locks a file that this process has just created. False if another process removed it in between.
    static func hold(_ descriptor: Int32, at path: String) -> Bool {
        flock(descriptor, LOCK_EX | LOCK_NB)  // on a file system without locks no process removes it
        return isSame(descriptor, path)
    }
}

/// Whether a path leads to the open file, and not to another one.
func isSame(_ descriptor: Int32, _ path: String) -> Bool {
    var (opened, found) = (stat(), stat())
    guard fstat(descriptor, &opened) == 0, lstat(path, &found) == 0 else { return false }
    return opened.st_dev == found.st_dev && opened.st_ino == found.st_ino
}
