import CRecBLR
import ErrorSupport
import RecBLRCommand
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Runs a call: returns 0, or the code of the error that it throws, which `error` then holds.
func call(_ error: UnsafeMutablePointer<OpaquePointer?>?, _ body: () throws -> Void) -> Int32 {
    do {
        try body()
        return 0
    } catch let thrown {
        let own = callError(thrown)
        error?.pointee = handedOut(own)
        return own.exitStatus.rawValue
    }
}

private func callError(_ error: any Error) -> CallError {
    switch error {
    case let error as CallError: error
    case let error as any UserFacingError: CallError(error.exitStatus, sentence(error))
    default: CallError(.internalError, "unexpected error: \(error)")
    }
}

/// The process that first computed on several threads; 0 before.
private let threadedProcess = Atomic<Int32>(0)

/// Before a call that computes on several threads: throws in a child of a process that has made one.
func requireOwnThreads() throws(CallError) {
    let own = getpid()
    let (_, first) = threadedProcess.compareExchange(expected: 0, desired: own, ordering: .relaxed)
    guard first == 0 || first == own else {
        throw CallError(
            .unavailable,
            "this process is a fork of one that has computed with recblr, whose threads are not here: start processes anew (in Python, "
                + "multiprocessing's start method spawn), or compute in the children alone")
    }
}
