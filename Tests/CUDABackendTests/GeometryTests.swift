import CCUDA
import Testing

@testable import CUDABackend

/// How work is cut, by arithmetic alone: what the kernels (Sources/Arithmetic/CCUDA/kernels) take for granted of it.
@Suite struct GeometryTests {
    static let sizes = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1000, 2048]
    static let rows = sizes + [4095, 4096, 4097, 65_535, 65_536, 65_537, 409_600, 1_000_000, 10_000_019, 100_000_000]
    static let widths = sizes + [4096]

    /// Parts of a whole, each once: `parts` pieces of `size`, the last of which may be shorter, none empty.
    private func cover(_ whole: Int, parts: Int, of size: Int) -> Bool {
        parts * size >= whole && (parts - 1) * size < whole
    }

    private func isLaunchable(_ grid: Grid) -> Bool {
        (1..<1 << 31).contains(grid.x) && (1...65_535).contains(grid.y) && (1...1024).contains(grid.threads)
            && grid.threads % 32 == 0 && (0...48 << 10).contains(grid.sharedBytes)
    }

    @Test(arguments: rows) func gridsOverOneDimension(count: Int) {
        for grid in [Grid.elements(count), .threads(count), .warps(count)] { #expect(isLaunchable(grid)) }
        #expect(cover(count, parts: Grid.threads(count).x, of: 256))
        #expect(cover(count, parts: Grid.warps(count).x, of: 8))
        // Each thread goes on by the whole grid: no block without work, and as many as the device has room for.
        let blocks = Grid.elements(count).x
        #expect((blocks - 1) * 256 < count && (blocks == 2048 || blocks * 256 >= count))
    }

    @Test func gridsOfNothing() {
        for grid in [Grid.elements(0), .threads(0), .warps(0)] { #expect(grid.x == 1) }
    }

    @Test(arguments: widths) func norms(width: Int) {
        for rows in Self.rows {
            let grid = Geometry.normBackward(rows: rows, width: width)
            let warps = grid.threads / 32
            #expect(isLaunchable(grid) && warps <= 8, "\(rows) × \(width)")
            #expect(grid.sharedBytes == 4 * 3 * width * warps, "sums of scale, shift and bias for each warp")
            // Warps stride over the rows by all warps; none begins beyond the end but in the last block.
            #expect((grid.x - 1) * warps < rows, "\(rows) × \(width)")
            #expect(grid.x == Geometry.manyBlocks || grid.x * warps >= rows, "\(rows) × \(width)")
        }
    }

    @Test(arguments: widths + [65_536, 1_000_000]) func activations(columns: Int) {
        for rows in Self.rows {
            let (grid, rowsPerBlock) = Geometry.activation(rows: rows, columns: columns)
            #expect(isLaunchable(grid), "\(rows) × \(columns)")
            #expect(cover(columns, parts: grid.x, of: 64), "a block has 64 columns")
            #expect(cover(rows, parts: grid.y, of: rowsPerBlock), "\(rows) × \(columns)")
            #expect(rowsPerBlock % 16 == 0, "a block's 16 rows of threads go on together")
        }
    }

    @Test(arguments: widths + [65_536]) func convolutions(channels: Int) {
        for rows in Self.rows {
            let grid = Geometry.convolution(rows: rows, channels: channels)
            #expect(isLaunchable(grid), "\(rows) × \(channels)")
            #expect(cover(rows, parts: grid.x, of: 32) && cover(channels, parts: grid.y, of: 32))
        }
    }

    /// What the kernels of scans compute from a ticket: chunk, channel and first row of each warp, and where results are published.
    @Test(arguments: widths, Geometry.Scan.Form.allCases) func scans(channels: Int, form: Geometry.Scan.Form) {
        for rows in Self.rows {
            let cut = Geometry.Scan(form, rows: rows, channels: channels)
            let slices = (channels + 31) / 32
            #expect(isLaunchable(cut.grid), "\(rows) × \(channels)")
            #expect(cover(rows, parts: cut.chunks, of: 8 * form.rowsOfThread), "\(rows) × \(channels)")
            #expect(cut.grid.x == cut.chunks * slices && cut.grid.threads == 8 * 32)
            // The rows of the last chunk's last warp are counted in 32 bits.
            #expect((cut.chunks * 8 + 7) * form.rowsOfThread < 1 << 31)
            guard cut.chunks > 1 else { continue }
            // The last chunk's map, which ends where the entries begin; the last group may be complete and hand on a state.
            let header = Int(LINK_HEADER)
            let entries = header + 2 * cut.chunks * channels
            #expect(header + 2 * ((cut.chunks - 1) * channels + channels - 1) + 1 < entries)
            #expect(entries + (cut.chunks - 1) / form.groupChunks * channels + channels - 1 < cut.linkWords)
        }
    }

    /// The chunks of a group are shared by eight warps, and a map's two words are read as one, at a multiple of 16 bytes.
    @Test(arguments: Geometry.Scan.Form.allCases) func groupsOfChunks(form: Geometry.Scan.Form) {
        #expect(form.groupChunks % 8 == 0)
        #expect(form.rowsOfThread <= 31, "beginnings of sequences are bits, and one more")
        #expect(8 * Int(LINK_HEADER) % 16 == 0)
    }

    @Test func smallScansAreCutSmall() {
        #expect(Geometry.Scan.forward(rows: 200, channels: 128, timed: false).chunks == 7)
        #expect(Geometry.Scan.forward(rows: 1 << 11, channels: 128, timed: false).form == .short)
        #expect(Geometry.Scan.forward(rows: (1 << 11) + 1, channels: 128, timed: false).form == .long)
        #expect(Geometry.Scan.backward(rows: 1 << 11, channels: 128, timed: false).form == .backwardShort)
        #expect(Geometry.Scan.backward(rows: (1 << 11) + 1, channels: 128, timed: false).form == .backwardLong)
    }

    @Test func linksGrowInPowersOfTwo() {
        #expect(ScanLinks.blockSize(words: 32) == 1 << 20)
        #expect(ScanLinks.blockSize(words: 1 << 17) == 1 << 20 && ScanLinks.blockSize(words: (1 << 17) + 1) == 2 << 20)
        for power in 20...40 { #expect(MemoryPool.blockSize(1 << power) == 1 << power, "a block of the pool") }
    }

    @Test(arguments: [1, 2, 383, 3416, 12_101, 100_000, 1_000_000, 100_000_000]) func tilesOfScores(columns: Int) {
        #expect(Geometry.softmaxRows(rows: 0, columns: columns) == 1, "no tile is as high as nothing")
        for rows in Self.rows {
            let softmax = Geometry.softmaxRows(rows: rows, columns: columns)
            #expect((1...rows).contains(softmax))
            #expect(softmax <= 16 || softmax * columns <= 4 << 20, "\(rows) × \(columns)")
            let ranking = Geometry.rankingRows(rows: rows, columns: columns)
            #expect((1...rows).contains(ranking))
            #expect(ranking == 1 || ranking * columns <= 16 << 20, "\(rows) × \(columns)")
            let width = Geometry.rankingColumns(rows: rows, columns: columns)
            #expect((1...columns).contains(width))
            #expect(width <= 1024 || rows * width <= 16 << 20, "\(rows) × \(columns)")
            #expect(width == columns || width % 1024 == 0, "the next tile begins at a multiple of 16 bytes")
        }
        // Rows of scores begin at multiples of 16 bytes.
        let stride = Geometry.scoreStride(columns: columns)
        #expect(stride % 4 == 0 && (columns..<columns + 4).contains(stride))
        #expect([256, 512].contains(Geometry.softmaxThreads(columns: columns)))
    }

    /// Sums of a bias's gradients are shared by a warp: what the kernels use besides must fit, too (CompilerTests).
    @Test func sharedMemoryOfABias() {
        #expect(BiasSums.maximumSharedBytes < 48 << 10)
        #expect(383 * 4 * 32 <= BiasSums.maximumSharedBytes)
    }
}
