import CCUDA

/// How operations are divided into blocks, and how much scratch memory they need.
enum Geometry {
    /// Two blocks for each of the 132 multiprocessors of a large GPU.
    static let manyBlocks = 264

    /// Warps keep sums [3, D] in shared memory, of which a block has 48 KB: as many warps as fit, at most eight.
    static func normBackward(rows: Int, width: Int) -> Grid {
        let warps = max(1, min(8, (48 << 10) / (12 * width)))
        let blocks = min((rows + warps - 1) / warps, manyBlocks)
        return Grid(x: blocks, threads: 32 * warps, sharedBytes: 12 * width * warps)
    }

    /// Blocks of 64 columns and, each, a multiple of 16 rows.
    static func activation(rows: Int, columns: Int) -> (Grid, rowsPerBlock: Int) {
        let across = (columns + 63) / 64
        let wanted = max(1, manyBlocks * 2 / across)
        let rowsPerBlock = max(16, ((rows + wanted - 1) / wanted + 15) / 16 * 16)
        return (Grid(x: across, y: (rows + rowsPerBlock - 1) / rowsPerBlock), rowsPerBlock)
    }

    /// Tiles of 32 rows and 32 channels.
    static func convolution(rows: Int, channels: Int) -> Grid {
        Grid(x: (rows + 31) / 32, y: (channels + 31) / 32)
    }

    /// How a scan is divided: each thread has a number of rows, each chunk those of eight warps. Short scans have small chunks, so that
    /// the whole GPU is busy; long scans have larger ones, which exchange less.
    struct Scan: Equatable {
        /// The kernels, each with its rows of a thread and chunks of a group: the state is passed from group to group, while the maps of
        /// a group's chunks are composed in parallel.
        enum Form: CaseIterable {
            case short, long, backwardShort, backwardLong
            /// With times, at any length.
            case timed, timedBackward

            var kernel: Kernel {
                switch self {
                case .short: .scanShort
                case .long: .scanLong
                case .backwardShort: .scanBackwardShort
                case .backwardLong: .scanBackwardLong
                case .timed: .scanTimed
                case .timedBackward: .scanTimedBackward
                }
            }
            var rowsOfThread: Int {
                switch self {
                case .short, .backwardShort, .timed, .timedBackward: Int(SCAN_SHORT_ROWS)
                case .long: Int(SCAN_LONG_ROWS)
                case .backwardLong: Int(SCAN_LONG_BACKWARD_ROWS)
                }
            }
            var groupChunks: Int {
                switch self {
                case .short, .backwardShort, .timed, .timedBackward: Int(SCAN_SHORT_GROUP)
                case .long: Int(SCAN_LONG_GROUP)
                case .backwardLong: Int(SCAN_LONG_BACKWARD_GROUP)
                }
            }
        }

        let form: Form
        let chunks: Int
        let grid: Grid
        /// Words of 8 bytes through which chunks exchange results.
        let linkWords: Int

        init(_ form: Form, rows: Int, channels: Int) {
            self.form = form
            let rowsOfChunk = Int(SCAN_WARPS) * form.rowsOfThread
            chunks = (rows + rowsOfChunk - 1) / rowsOfChunk
            grid = Grid(x: chunks * ((channels + 31) / 32))
            let groups = (chunks + form.groupChunks - 1) / form.groupChunks
            linkWords = Int(LINK_HEADER) + (chunks == 1 ? 0 : (2 * chunks + groups) * channels)
        }

        static func forward(rows: Int, channels: Int, timed: Bool) -> Scan {
            Scan(timed ? .timed : isLong(rows, channels) ? .long : .short, rows: rows, channels: channels)
        }
        static func backward(rows: Int, channels: Int, timed: Bool) -> Scan {
            Scan(
                timed ? .timedBackward : isLong(rows, channels) ? .backwardLong : .backwardShort, rows: rows,
                channels: channels)
        }
        private static func isLong(_ rows: Int, _ channels: Int) -> Bool { rows * channels > 1 << 18 }
    }

    /// How the sum over the parts of an operation is divided: up to 256 groups; one where a second launch would take longer.
    static func columnSums(parts: Int) -> (partsPerGroup: Int, groups: Int) {
        guard parts > 2 * manyBlocks else { return (max(1, parts), 1) }
        let partsPerGroup = max(128, (parts + 255) / 256)
        return (partsPerGroup, (parts + partsPerGroup - 1) / partsPerGroup)
    }

    /// Rows of logits that are in memory at once: up to 16 MB, which stays in the second-level cache of a large GPU, in
    /// tiles of nearly equal size.
    static func softmaxRows(rows: Int, columns: Int) -> Int {
        let most = max(16, (4 << 20) / columns)
        let tiles = max(1, (rows + most - 1) / most)
        return max(1, (rows + tiles - 1) / tiles)
    }

    /// The same over samples of `columns` rows, each for `perSample` rows, which stay together.
    static func sampledRows(rows: Int, columns: Int, perSample: Int) -> Int {
        (softmaxRows(rows: rows, columns: columns) + perSample - 1) / perSample * perSample
    }

    /// Numbers from one row of scores to the next: a multiple of 4, so that products and kernels read 16 bytes at once.
    static func scoreStride(columns: Int) -> Int { (columns + 3) / 4 * 4 }

    /// Threads for a row of the softmax, each of which keeps 16 numbers in registers.
    static func softmaxThreads(columns: Int) -> Int { columns <= 256 * 16 ? 256 : 512 }

    /// Columns of scores that are in memory at once for `rows` rows: 64 MB.
    static func rankingColumns(rows: Int, columns: Int) -> Int {
        min(columns, max(1024, (16 << 20) / max(1, rows) / 1024 * 1024))
    }

    /// Rows whose scores over the whole table are in memory at once: 64 MB.
    static func rankingRows(rows: Int, columns: Int) -> Int { min(rows, max(1, (16 << 20) / columns)) }
}
