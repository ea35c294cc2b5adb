import CCUDA

/// One command to a device. Addresses and sizes are part of it, the contents of memory are not: equal lists of commands can
/// be started as one graph.
enum Command: Equatable {
    /// A kernel over a grid of blocks; its argument is a range of the list's bytes.
    case launch(Kernel, Grid, argument: Range<Int>)
    /// output (+)= op(a) · op(b), as plan number `plan` says. In a graph, where `besideNext`, at the same time as the next command.
    case product(plan: Int, a: cu_address, b: cu_address, output: cu_address, accumulates: Bool, besideNext: Bool)
    /// Sets every byte to one value.
    case set(cu_address, to: UInt8, bytes: Int)
    /// Copies within the device's memory.
    case copy(to: cu_address, from: cu_address, bytes: Int)
}

extension Command {
    /// Whether a graph may run it at the same time as the next command.
    var isBesideNext: Bool {
        guard case .product(_, _, _, _, _, let besideNext) = self else { return false }
        return besideNext
    }
}

/// The size of a kernel launch: blocks, and threads in each block.
struct Grid: Equatable {
    var x: Int
    var y = 1
    var threads = 256
    /// Bytes of dynamic shared memory.
    var sharedBytes = 0

    /// Enough blocks of 256 threads for `count` elements, but no more than a large device runs at once: the kernels loop over
    /// the rest (a grid-stride loop).
    static func elements(_ count: Int) -> Grid { Grid(x: max(1, min((count + 255) / 256, 2048))) }
    /// Enough blocks of 256 threads for `count` threads.
    static func threads(_ count: Int) -> Grid { Grid(x: max(1, (count + 255) / 256)) }
    /// One warp for each row, eight warps in a block.
    static func warps(_ rows: Int) -> Grid { Grid(x: max(1, (rows + 7) / 8)) }
}

/// Commands and the bytes of their arguments.
struct CommandList: Equatable {
    var commands: [Command] = []
    var bytes: [UInt8] = []

    /// Appends an argument; returns its range of bytes.
    mutating func append(_ argument: UnsafeRawBufferPointer) -> Range<Int> {
        let start = (bytes.count + 15) / 16 * 16
        bytes.append(contentsOf: repeatElement(0, count: start - bytes.count))
        bytes.append(contentsOf: argument)
        return start..<bytes.count
    }
}
