import ArrowData
import FileSupport
import Identifiers

/// The ids in one column of a table, and their numbers by first appearance.
///
/// A text is made of a whole number, or of a position in a dictionary, only where it occurs for the first time.
struct ColumnIDs {
    /// An id that is checked and has not been added yet. A text's bytes live as long as its batch.
    enum ID {
        case text(CheckedID)
        case integer(UInt64)
        case position(Int)

        var isComposed: Bool { if case .text(let text) = self { text.composed != nil } else { false } }
    }

    private let what: String
    private var column: ArrowColumn?
    /// The ids.
    private(set) var interner = Interner()
    /// How many ids were converted to their composed form.
    private(set) var composed = 0
    private var numbers: [Int32] = []
    /// Texts that have no numbers yet: they are interned in batches, which is faster.
    private var waiting = PackedTexts()
    /// Whole numbers that wait for the same reason: what one after the other looks up in a large table is not in the caches, but many
    /// at once take hardly longer than one.
    private var waitingIntegers: [UInt64] = []
    private var integers = IntegerNumbers()
    /// The numbers of the words in the batch's dictionary, or what is known of a word without one. Four bytes each: every batch can
    /// bring a dictionary of millions.
    private var words: [Int32] = []
    /// The words that were converted.
    private var composedWords: Set<Int> = []
    private static let (unknown, checked): (Int32, Int32) = (-1, -2)

    /// - Parameter what: "user" or "item", for messages.
    init(_ what: String) { self.what = what }

    /// Goes on with the next batch.
    mutating func begin(_ column: ArrowColumn) {
        self.column = column
        words = Array(repeating: Self.unknown, count: column.dictionary?.count ?? 0)
        composedWords = []
    }

    /// The id of a row of the present batch's column. Throws where it has none.
    mutating func id(at row: Int, of column: ArrowColumn) throws(RowProblem) -> ID {
        guard column.dictionary == nil else { return try word(at: row, column) }
        let id = try check(try column.value(row), column)
        composed += id.isComposed ? 1 : 0
        return id
    }

    private mutating func word(at row: Int, _ column: ArrowColumn) throws(RowProblem) -> ID {
        let position: Int?
        do { position = try column.index(at: row) } catch { throw .table(error) }
        guard let position, let dictionary = column.dictionary else { throw missing(column) }
        if words[position] == Self.unknown {
            let id = try check(try dictionary.value(position), column)
            words[position] = Self.checked
            if id.isComposed { composedWords.insert(position) }
        }
        if !composedWords.isEmpty, composedWords.contains(position) { composed += 1 }
        return .position(position)
    }

    private func check(_ value: ArrowValue, _ column: ArrowColumn) throws(RowProblem) -> ID {
        switch value {
        case .text(let bytes):
            do { return .text(try CheckedID(bytes, what)) } catch { throw column.problem(error) }
        case .signed(let number): return .integer(UInt64(bitPattern: number))
        case .unsigned(let number): return .integer(number)
        case .float32, .float64:
            if let number = value.wholeNumber { return .integer(UInt64(bitPattern: number)) }
            let text = value.text(column.field.type)
            if text.isEmpty { throw missing(column) }
            throw column.problem(
                "the \(what) \(text) is no whole number that its type holds exactly: ids are text or whole numbers")
        case .null, .boolean, .time: throw missing(column)
        }
    }

    private func missing(_ column: ArrowColumn) -> RowProblem {
        column.problem(LineProblem(reason: "the \(what) is null", remedies: [.skipBadLines]))
    }

    /// Adds an id of the present batch.
    mutating func add(_ id: ID) {
        switch id {
        case .text(let text):
            text.add(to: &waiting)
            if waiting.isFull { numberWaiting() }
        case .integer(let integer): waitingIntegers.append(integer)
        case .position(let position): numbers.append(number(word: position))
        }
    }

    /// The numbers of the ids that were added since the last call.
    mutating func takeNumbers() -> [Int32] {
        numberWaiting()
        defer { numbers.removeAll(keepingCapacity: true) }
        return numbers
    }

    private mutating func numberWaiting() {
        for integer in waitingIntegers { numbers.append(number(integer)) }
        waitingIntegers.removeAll(keepingCapacity: true)
        guard waiting.count > 0 else { return }
        numbers += interner.intern(waiting)
        waiting.removeAll()
    }

    private mutating func number(_ integer: UInt64) -> Int32 {
        if let number = integers[integer] { return number }
        let number = withBytes(text(integer)) { interner.intern($0).index }
        integers.insert(integer, number)
        return number
    }

    /// As CSV files have it: `17`, or `17.0` in a floating-point column.
    private func text(_ integer: UInt64) -> String {
        switch column?.field.type {
        case .float32, .float64: "\(Int64(bitPattern: integer)).0"
        case .integer(.uint64): "\(integer)"
        default: "\(Int64(bitPattern: integer))"
        }
    }

    private mutating func number(word position: Int) -> Int32 {
        if words[position] >= 0 { return words[position] }
        guard let column, let value = try? column.dictionary?.value(at: position), let id = try? check(value, column)
        else {
            preconditionFailure("only what id(at:of:) has returned is added")
        }
        let number =
            switch id {
            case .text(let text): text.withBytes { interner.intern($0).index }
            case .integer(let integer): self.number(integer)
            case .position(let position): Int32(position)
            }
        words[position] = number
        return number
    }
}

/// Numbers of whole numbers: an open-addressing hash table.
struct IntegerNumbers {
    private struct Slot {
        var key: UInt64 = 0
        var number: Int32 = -1
    }

    private var slots = [Slot](repeating: Slot(), count: 1024)
    private var count = 0

    /// The number of a key; nil where it has none. O(1).
    subscript(key: UInt64) -> Int32? {
        let number = slots[slot(of: key)].number
        return number < 0 ? nil : number
    }

    /// Gives a number, not a negative one, to a key that has none. Amortised O(1).
    mutating func insert(_ key: UInt64, _ number: Int32) {
        slots[slot(of: key)] = Slot(key: key, number: number)
        count += 1
        guard 2 * count > slots.count else { return }
        let old = slots
        slots = Array(repeating: Slot(), count: 2 * old.count)
        for entry in old where entry.number >= 0 { slots[slot(of: entry.key)] = entry }
    }

    /// The slot of a key, or the empty one where it would be.
    private func slot(of key: UInt64) -> Int {
        // The upper bits of the product depend on all bits of the key.
        let shift = UInt64(slots.count.leadingZeroBitCount + 1)
        var slot = Int((key &* 0x9E37_79B9_7F4A_7C15) >> shift)
        while slots[slot].number >= 0, slots[slot].key != key { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }
}
