import CArrow

/// A bit for each row, the lowest of a byte first.
struct Bitmap {
    private let bytes: UnsafeRawPointer
    private let start: Int

    /// - Parameter start: the position of the first row's bit.
    init(bytes: UnsafeRawPointer, start: Int) { (self.bytes, self.start) = (bytes, start) }

    /// Which values are there, at position `start` and behind; nil where all are.
    init?(_ bytes: UnsafeRawPointer?, _ nullCount: Int64, from start: Int) {
        guard let bytes, nullCount != 0 else { return nil }
        self.init(bytes: bytes, start: start)
    }

    subscript(row: Int) -> Bool {
        let bit = start + row
        return bytes.load(fromByteOffset: bit >> 3, as: UInt8.self) & 1 << UInt8(bit & 7) != 0
    }
}

/// Texts by their position in an array's buffers.
struct Texts {
    private let layout: ArrowType.TextLayout
    /// Where each begins, or its view.
    private let places: UnsafeRawPointer
    /// One block of bytes, or, of views, the table of all buffers.
    private let data: UnsafeRawPointer?
    private let blocks: UnsafeMutablePointer<UnsafeRawPointer?>
    private let blockSizes: UnsafeRawPointer?
    private let blockCount: Int
    /// The end of the last text.
    private var last = 0

    /// Nil where a buffer is missing or the last text ends before zero.
    init?(_ layout: ArrowType.TextLayout, _ array: ArrowArray) {
        guard let places = array.buffers[1] else { return nil }
        (self.layout, self.places, data, blocks) = (layout, places, array.buffers[2], array.buffers)
        blockCount = Int(array.n_buffers) - 3
        blockSizes = array.buffers[Int(array.n_buffers) - 1]
        if layout == .views, blockCount > 0, blockSizes == nil { return nil }
        if layout != .views { last = offset(Int(array.offset + array.length)) }
        if last < 0 { return nil }
    }

    private func offset(_ position: Int) -> Int {
        layout == .offsets32
            ? Int(places.loadUnaligned(fromByteOffset: 4 * position, as: Int32.self))
            : Int(places.loadUnaligned(fromByteOffset: 8 * position, as: Int64.self))
    }

    /// The bytes of a text; nil where they do not lie where they must.
    subscript(position: Int) -> UnsafeRawBufferPointer? {
        if layout == .views { return view(places + 16 * position) }
        let (first, end) = (offset(position), offset(position + 1))
        guard first >= 0, end >= first, end <= last, data != nil || end == first else { return nil }
        return UnsafeRawBufferPointer(start: data.map { $0 + first }, count: end - first)
    }

    private func view(_ view: UnsafeRawPointer) -> UnsafeRawBufferPointer? {
        func word(_ index: Int) -> Int { Int(view.loadUnaligned(fromByteOffset: 4 * index, as: Int32.self)) }
        let count = word(0)
        guard count > 12 else { return count < 0 ? nil : UnsafeRawBufferPointer(start: view + 4, count: count) }
        let (block, first) = (word(2), word(3))
        guard block >= 0, block < blockCount, first >= 0, let bytes = blocks[2 + block], let blockSizes,
            first + count <= blockSizes.loadUnaligned(fromByteOffset: 8 * block, as: Int64.self)
        else { return nil }
        return UnsafeRawBufferPointer(start: bytes + first, count: count)
    }
}
