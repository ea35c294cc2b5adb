/// How work is divided among blocks where that is more than a count, and how much scratch memory follows from it.
enum Geometry {
    /// Blocks that fill a large GPU twice over.
    static let manyBlocks = 264

    /// Warps keep sums [3, D] in shared memory, of which a block has 48 KB: as many warps as fit, at most eight.
    static func normBackward(rows: Int, width: Int) -> Grid {
        let warps = max(1, min(8, (48 << 10) / (12 * width)))
        let blocks = min((rows + warps - 1) / warps, manyBlocks)
        return Grid(x: blocks, threads: 32 * warps, sharedBytes: 12 * width * warps)
    }

    /// Blocks of 64 columns and, each, a multiple of 16 rows.
    static func activation(rows: Int, columns: Int) -> (Grid, rowsOfBlock: Int) {
        let across = (columns + 63) / 64
        let wanted = max(1, manyBlocks * 2 / across)
        let rowsOfBlock = max(16, ((rows + wanted - 1) / wanted + 15) / 16 * 16)
        return (Grid(x: across, y: (rows + rowsOfBlock - 1) / rowsOfBlock), rowsOfBlock)
    }

    /// Tiles of 32 rows and 32 channels.
    static func convolution(rows: Int, channels: Int) -> Grid {
        Grid(x: (rows + 31) / 32, y: (channels + 31) / 32)
    }

    /// How a scan is cut: rows of a thread, and from them chunks of eight warps' rows. Few rows are cut small, so that all of
    /// the GPU takes part; many are cut large, which moves less between chunks.
    struct Scan: Equatable {
        let isLong: Bool
        let chunks: Int
        let grid: Grid
        /// Chunks whose maps are put together at once; the state goes from group to group.
        static let groupChunks = 32

        init(rows: Int, channels: Int, longRows: Int) {
            isLong = rows * channels > 1 << 21
            let rowsOfChunk = 8 * (isLong ? longRows : 4)
            chunks = (rows + rowsOfChunk - 1) / rowsOfChunk
            grid = Grid(x: chunks * ((channels + 31) / 32))
        }

        /// Words of eight bytes for the maps of chunks and the states before groups.
        func words(channels: Int) -> (maps: Int, entries: Int) {
            chunks == 1
                ? (0, 0)
                : (2 * chunks * channels, (chunks + Self.groupChunks - 1) / Self.groupChunks * channels)
        }
    }

    /// How sums over the parts of an operation are cut: one share where another launch would take longer, else up to 256.
    static func columnSums(parts: Int) -> (partsOfShare: Int, shares: Int) {
        guard parts > 2 * manyBlocks else { return (max(1, parts), 1) }
        let partsOfShare = max(128, (parts + 255) / 256)
        return (partsOfShare, (parts + partsOfShare - 1) / partsOfShare)
    }

    /// Rows of logits that are in memory at once: up to 16 MB, which stays in the second-level cache of a large GPU, in
    /// tiles of like size.
    static func softmaxRows(rows: Int, columns: Int) -> Int {
        let most = max(16, (4 << 20) / columns)
        let tiles = max(1, (rows + most - 1) / most)
        return max(1, (rows + tiles - 1) / tiles)
    }

    /// Columns of scores that are in memory at once for `rows` rows: 64 MB.
    static func rankingColumns(rows: Int, columns: Int) -> Int {
        min(columns, max(1024, (16 << 20) / max(1, rows)))
    }

    /// Rows whose scores over the whole table are in memory at once: 64 MB.
    static func rankingRows(rows: Int, columns: Int) -> Int { min(rows, max(1, (16 << 20) / columns)) }
}
