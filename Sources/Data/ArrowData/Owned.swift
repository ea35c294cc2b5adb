import CArrow

/// A struct of the C interfaces that has to be released by whoever holds it.
protocol Releasable {
    init()
    /// Calls the struct's own release callback, if it was not called before.
    static func release(_ pointer: UnsafeMutablePointer<Self>)
}

extension ArrowSchema: Releasable {
    static func release(_ pointer: UnsafeMutablePointer<Self>) { pointer.pointee.release?(pointer) }
}

extension ArrowArray: Releasable {
    static func release(_ pointer: UnsafeMutablePointer<Self>) { pointer.pointee.release?(pointer) }
}

extension ArrowArrayStream: Releasable {
    static func release(_ pointer: UnsafeMutablePointer<Self>) { pointer.pointee.release?(pointer) }
}

/// A struct of the C interfaces, released when the last reference goes.
final class Owned<Value: Releasable> {
    let pointer: UnsafeMutablePointer<Value>

    /// One that is released already, to be filled.
    init() {
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: Value())
    }

    deinit {
        Value.release(pointer)
        pointer.deallocate()
    }
}
