import CCUDA

/// One thing that a device is asked to do. Addresses and sizes are part of it, the numbers that memory holds are not: a
/// list of equal commands may be started as one graph.
enum Command: Equatable {
    /// A kernel over a grid of blocks; its argument is a range of the list's bytes.
    case launch(Kernel, Grid, argument: Range<Int>)
    /// output (+)= one matrix times another, all as a plan says.
    case product(plan: Int, a: cu_address, b: cu_address, output: cu_address, accumulates: Bool)
    /// One value in every byte.
    case set(cu_address, to: UInt8, bytes: Int)
    /// From one place in the device's memory to another.
    case copy(to: cu_address, from: cu_address, bytes: Int)
}

/// Blocks of a launch and threads of a block.
struct Grid: Equatable {
    var x: Int
    var y = 1
    var threads = 256
    /// Bytes of shared memory whose size the kernel does not know.
    var sharedBytes = 0

    /// Enough blocks of 256 for `count` threads, but no more than a large device has room for: kernels that are launched so
    /// go on from there.
    static func elements(_ count: Int) -> Grid { Grid(x: max(1, min((count + 255) / 256, 2048))) }
    /// Exactly enough blocks of 256 for `count` threads.
    static func threads(_ count: Int) -> Grid { Grid(x: max(1, (count + 255) / 256)) }
    /// A warp a row, eight a block.
    static func warps(_ rows: Int) -> Grid { Grid(x: max(1, (rows + 7) / 8)) }
}

/// Commands and the bytes of their arguments.
struct CommandList: Equatable {
    var commands: [Command] = []
    var bytes: [UInt8] = []

    /// Keeps an argument; where it is.
    mutating func append(_ argument: UnsafeRawBufferPointer) -> Range<Int> {
        let start = (bytes.count + 15) / 16 * 16
        bytes.append(contentsOf: repeatElement(0, count: start - bytes.count))
        bytes.append(contentsOf: argument)
        return start..<bytes.count
    }
}
