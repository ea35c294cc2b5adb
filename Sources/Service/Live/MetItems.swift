import Events
import Identifiers

/// An item that a user has met, and when, in whole seconds since 1970.
struct Met: Equatable {
    var row: Int32
    var seconds: Int64

    init(row: Int32, seconds: Int64) { (self.row, self.seconds) = (row, seconds) }

    init(_ item: ItemID, _ time: Timestamp) { self.init(row: Int32(item.row), seconds: Self.seconds(time)) }

    var item: ItemID { ItemID(row: Int(row)) }

    /// The second in which a time lies, also before 1970.
    static func seconds(_ time: Timestamp) -> Int64 {
        let (quotient, remainder) = time.microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

/// A queue of items with times. Each takes two numbers of some bytes (LEB128), 3 to 7 bytes mostly: the row, and the seconds since
/// the item before.
///
/// The bytes lie in blocks of one size that never move. An array would be copied into a larger one as it grows, and because the histories
/// of all users grow alike, the memory that it leaves would be of use to nobody.
struct MetItems: ~Copyable {
    /// The number of items.
    private(set) var count = 0
    private var start: Place
    private var end: Place
    private var blockCount = 1

    /// An empty queue.
    init() {
        start = Place(block: Block())
        end = start
    }

    deinit {
        var block = start.block
        while block != end.block { block = block.deallocateAndGoOn() }
        block.deallocate()
    }

    /// What it occupies beside its own fields, in bytes.
    var byteCount: Int { Block.occupiedBytes * blockCount }

    /// All items, oldest first: O(``count``).
    var all: [Met] {
        var place = start
        return (0..<count).map { _ in place.read() }
    }

    /// Adds an item. O(1).
    mutating func append(_ met: Met) {
        write(UInt64(UInt32(bitPattern: met.row)))
        write(UInt64(bitPattern: met.seconds &- end.seconds))
        end.seconds = met.seconds
        count += 1
    }

    /// Removes the oldest item; there must be one. O(1).
    mutating func removeFirst() -> Met {
        var block = start.block
        let met = start.read()
        while block != start.block {
            block = block.deallocateAndGoOn()
            blockCount -= 1
        }
        count -= 1
        return met
    }

    private mutating func write(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            write(byte: UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        write(byte: UInt8(rest))
    }

    private mutating func write(byte: UInt8) {
        if end.offset == Block.size {
            let block = Block()
            end.block.next = block
            (end.block, end.offset) = (block, 0)
            blockCount += 1
        }
        end.block[end.offset] = byte
        end.offset += 1
    }

    /// Where an item begins, and the time of the one before it.
    private struct Place {
        var block: Block
        var offset: Int32 = 0
        var seconds: Int64 = 0

        mutating func read() -> Met {
            let row = Int32(bitPattern: UInt32(truncatingIfNeeded: number()))
            seconds &+= Int64(bitPattern: number())
            return Met(row: row, seconds: seconds)
        }

        private mutating func number() -> UInt64 {
            var (number, shift): (UInt64, UInt64) = (0, 0)
            while true {
                if offset == Block.size { (block, offset) = (block.next, 0) }
                let byte = block[offset]
                offset += 1
                number |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return number }
                shift += 7
            }
        }
    }

    /// The address of the next block, then bytes.
    private struct Block: Equatable {
        private static let header = MemoryLayout<UnsafeMutableRawPointer>.size
        /// With the 8 bytes that malloc adds. Room for the events of most users, and not much more.
        static let occupiedBytes = 96
        /// Bytes for items.
        static let size = Int32(occupiedBytes - 8 - header)
        private let memory: UnsafeMutableRawPointer

        init() { memory = .allocate(byteCount: Self.occupiedBytes - 8, alignment: Self.header) }

        /// The block behind; there must be one.
        var next: Block {
            get { memory.load(as: Block.self) }
            nonmutating set { memory.storeBytes(of: newValue, as: Block.self) }
        }

        subscript(offset: Int32) -> UInt8 {
            get { memory.load(fromByteOffset: Self.header + Int(offset), as: UInt8.self) }
            nonmutating set { memory.storeBytes(of: newValue, toByteOffset: Self.header + Int(offset), as: UInt8.self) }
        }

        func deallocate() { memory.deallocate() }

        /// The block behind, which must be there.
        func deallocateAndGoOn() -> Block {
            defer { deallocate() }
            return next
        }
    }
}
