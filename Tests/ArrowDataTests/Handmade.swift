import ArrowData
import CArrow
import Foundation

/// How many structs were made, and how many of their release callbacks were called; a second call of one is an error, too.
final class Ledger {
    var made = 0
    var released = 0
    var releasedTwice = 0
    var isBalanced: Bool { made == released && releasedTwice == 0 }
}

/// An array and its schema, written down by hand: anything can be wrong with it.
struct Handmade {
    var format: String? = "+s"
    var name = ""
    var length: Int64 = 0
    var nullCount: Int64 = 0
    var offset: Int64 = 0
    var buffers: [[UInt8]?] = [nil]
    var children: [Handmade?] = []
    /// In an array of length one, since a struct cannot hold itself.
    var dictionary: [Handmade] = []
    var bufferCount: Int64?
    var childCount: Int64?
    var hasBufferTable = true

    /// Rows of these columns.
    static func table(_ columns: [Handmade], rows: Int64, offset: Int64 = 0, validity: [UInt8]? = nil) -> Handmade {
        Handmade(
            length: rows, nullCount: validity == nil ? 0 : -1, offset: offset, buffers: [validity], children: columns)
    }

    /// A column of numbers; nil for nulls.
    static func numbers<Number: BitwiseCopyable>(
        _ name: String, _ format: String, _ values: [Number?], zero: Number
    ) -> Handmade {
        Handmade(
            format: format, name: name, length: Int64(values.count), nullCount: -1,
            buffers: [bits(values.map { $0 != nil }), bytes(values.map { $0 ?? zero })])
    }

    /// A column of texts with offsets of 32 bits, of 64, or with views.
    static func texts(_ name: String, _ format: String = "u", _ values: [String?]) -> Handmade {
        var result = Handmade(format: format, name: name, length: Int64(values.count), nullCount: -1)
        let valid = bits(values.map { $0 != nil })
        let all = Array(values.compactMap { $0 }.joined().utf8)
        if format == "vu" {
            var (views, start): ([UInt8], Int32) = ([], 0)
            for text in values.map({ Array(($0 ?? "").utf8) }) {
                var view = bytes([Int32(text.count)])
                view += text.count <= 12 ? text : Array(text[..<4]) + bytes([Int32(0), start])
                views += view + [UInt8](repeating: 0, count: 16 - view.count)
                start += Int32(text.count)
            }
            result.buffers = [valid, views, all, bytes([Int64(all.count)])]
        } else {
            var ends: [Int64] = [0]
            for text in values { ends.append(ends.last! + Int64(text?.utf8.count ?? 0)) }
            result.buffers = [valid, format == "U" ? bytes(ends) : bytes(ends.map { Int32($0) }), all]
        }
        return result
    }

    /// A column of positions in a dictionary.
    static func words(_ name: String, _ positions: [Int8?], _ dictionary: Handmade) -> Handmade {
        var result = numbers(name, "c", positions, zero: 0)
        result.dictionary = [dictionary]
        return result
    }

    static func bytes<Number: BitwiseCopyable>(_ values: [Number]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

    static func bits(_ values: [Bool]) -> [UInt8] {
        var bits = [UInt8](repeating: 0, count: (values.count + 7) / 8)
        for (i, value) in values.enumerated() where value { bits[i / 8] |= 1 << UInt8(i % 8) }
        return bits
    }
}

/// The memory of one struct of the C interface.
private final class Memory {
    let ledger: Ledger
    var blocks: [UnsafeMutableRawPointer] = []
    var afterwards: [() -> Void] = []

    init(_ ledger: Ledger) {
        self.ledger = ledger
        ledger.made += 1
    }

    deinit {
        for step in afterwards { step() }
        for block in blocks { block.deallocate() }
    }

    /// A copy that is not aligned: Arrow only recommends it.
    func copy(_ bytes: [UInt8]) -> UnsafeMutableRawPointer {
        let block = UnsafeMutableRawPointer.allocate(byteCount: bytes.count + 1, alignment: 16)
        blocks.append(block)
        (block + 1).copyMemory(from: bytes, byteCount: bytes.count)
        return block + 1
    }

    func text(_ text: String) -> UnsafePointer<CChar> {
        UnsafePointer(copy(text.utf8CString.map { UInt8(bitPattern: $0) }).assumingMemoryBound(to: CChar.self))
    }

    func table<Value>(_ values: [Value]) -> UnsafeMutablePointer<Value> {
        let table = UnsafeMutablePointer<Value>.allocate(capacity: max(1, values.count))
        table.initialize(from: values, count: values.count)
        blocks.append(UnsafeMutableRawPointer(table))
        return table
    }

    func release() {
        ledger.released += 1
        Unmanaged.passUnretained(self).release()
    }
}

extension Handmade {
    func schema(_ ledger: Ledger) -> ArrowSchema {
        let memory = Memory(ledger)
        let parts = children.map { child in child.map { memory.table([$0.schema(ledger)]) } }
        let dictionary = dictionary.first.map { memory.table([$0.schema(ledger)]) }
        memory.afterwards.append {
            for part in parts { part?.pointee.release?(part) }
            dictionary?.pointee.release?(dictionary)
        }
        return ArrowSchema(
            format: format.map(memory.text), name: memory.text(name), metadata: nil, flags: 2,
            n_children: childCount ?? Int64(children.count), children: memory.table(parts), dictionary: dictionary,
            release: { schema in
                guard let schema else { return }
                schema.pointee.release = nil
                Unmanaged<Memory>.fromOpaque(schema.pointee.private_data).takeUnretainedValue().release()
            }, private_data: Unmanaged.passRetained(memory).toOpaque())
    }

    func array(_ ledger: Ledger) -> ArrowArray {
        let memory = Memory(ledger)
        let parts = children.map { child in child.map { memory.table([$0.array(ledger)]) } }
        let dictionary = dictionary.first.map { memory.table([$0.array(ledger)]) }
        memory.afterwards.append {
            for part in parts { part?.pointee.release?(part) }
            dictionary?.pointee.release?(dictionary)
        }
        let pointers = buffers.map { $0.map { UnsafeRawPointer(memory.copy($0)) } }
        return ArrowArray(
            length: length, null_count: nullCount, offset: offset, n_buffers: bufferCount ?? Int64(buffers.count),
            n_children: childCount ?? Int64(children.count), buffers: hasBufferTable ? memory.table(pointers) : nil,
            children: memory.table(parts), dictionary: dictionary,
            release: { array in
                guard let array else { return }
                array.pointee.release = nil
                Unmanaged<Memory>.fromOpaque(array.pointee.private_data).takeUnretainedValue().release()
            }, private_data: Unmanaged.passRetained(memory).toOpaque())
    }
}

/// A stream of handmade batches.
final class HandmadeStream {
    enum Failure { case schema, batch(Int), none }

    let ledger: Ledger
    private let schema: Handmade
    private var batches: [Handmade]
    private let failure: Failure
    private var given = 0
    private let words = strdup("the disk\n  is full\n")

    /// - Parameter schema: the first batch's where it is nil.
    init(_ batches: [Handmade], schema: Handmade? = nil, _ ledger: Ledger, failing failure: Failure = .none) {
        (self.batches, self.schema, self.ledger, self.failure) = (batches, schema ?? batches[0], ledger, failure)
    }

    deinit { free(words) }

    private static func of(_ stream: UnsafeMutablePointer<ArrowArrayStream>?) -> HandmadeStream {
        Unmanaged<HandmadeStream>.fromOpaque(stream!.pointee.private_data).takeUnretainedValue()
    }

    /// The stream as C sees it.
    var exported: ArrowArrayStream {
        ledger.made += 1
        return ArrowArrayStream(
            get_schema: { stream, target in
                let own = HandmadeStream.of(stream)
                if case .schema = own.failure { return EIO }
                target?.initialize(to: own.schema.schema(own.ledger))
                return 0
            },
            get_next: { stream, target in
                let own = HandmadeStream.of(stream)
                if case .batch(own.given) = own.failure { return EIO }
                own.given += 1
                let next = own.batches.isEmpty ? nil : own.batches.removeFirst()
                target?.initialize(to: next?.array(own.ledger) ?? ArrowArray())
                return 0
            },
            get_last_error: { HandmadeStream.of($0).words.map { UnsafePointer($0) } },
            release: { stream in
                let own = HandmadeStream.of(stream)
                if stream?.pointee.release == nil { own.ledger.releasedTwice += 1 }
                stream?.pointee.release = nil
                own.ledger.released += 1
                Unmanaged.passUnretained(own).release()
            }, private_data: Unmanaged.passRetained(self).toOpaque())
    }
}
