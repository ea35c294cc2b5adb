import ArrowData
import CArrow
import Foundation
import Interactions
import Testing

/// Tables that are given to others, read back.
@Suite struct ExportTests {
    private static let columns: [(name: String, type: TableColumnType)] = [
        ("user", .text), ("item", .int64), ("rank", .int32), ("score", .float32), ("vector", .vector(width: 3)),
        ("when", .timestamp), ("größe", .text),
    ]

    private static func batch(_ rows: Range<Int>) -> TableBatch {
        TableBatch([
            .text(rows.map { $0 % 3 == 1 ? nil : String(repeating: "é", count: $0 % 20) }),
            .int64(rows.map { Int64($0) << 40 }),
            .int32(rows.map { -Int32($0) }), .float32(rows.map { Float($0) / 4 }),
            .vectors(width: 3, rows.flatMap { [Float($0), 0, -1] }), .timestamps(rows.map { Int64($0) * 1_000_000 }),
            .text(rows.map { "\($0)" }),
        ])
    }

    private static func stream(_ batches: [TableBatch], rows: Int) throws -> ArrowStream {
        var (exported, rest) = (ArrowArrayStream(), batches)
        TableStream.export(columns, rows: rows, to: &exported) { rest.isEmpty ? nil : rest.removeFirst() }
        return try ArrowStream(moving: &exported)
    }

    @Test(arguments: [0, 1, 7, 8, 9, 63, 64, 65, 1000], [1, 64, 1 << 16]) func roundTrip(_ count: Int, _ limit: Int)
        throws
    {
        let cut = count / 3
        var stream = try Self.stream([Self.batch(0..<cut), Self.batch(cut..<count)], rows: limit)
        #expect(stream.fields.map(\.name) == Self.columns.map(\.name))
        #expect(
            stream.fields.map { "\($0.type)" } == [
                "text", "int64", "int32", "float32", "fixed-size list", "timestamp", "text",
            ])
        var row = 0
        while let batch = try stream.next() {
            #expect((1...limit).contains(batch.count))
            for i in 0..<batch.count {
                check(row + i, try [0, 1, 2, 3, 5, 6].map { try batch.column($0).value(at: i) })
            }
            row += batch.count
        }
        #expect(row == count)
        #expect(try stream.next() == nil && stream.next() == nil)
    }

    private func check(_ row: Int, _ values: [ArrowValue]) {
        func text(_ value: ArrowValue) -> String? {
            if case .text(let bytes) = value { String(decoding: bytes, as: UTF8.self) } else { nil }
        }
        #expect(text(values[0]) == (row % 3 == 1 ? nil : String(repeating: "é", count: row % 20)))
        guard case .signed(Int64(row) << 40) = values[1], case .signed(-Int64(row)) = values[2],
            case .float32(Float(row) / 4) = values[3], case .time(Int64(row) * 1_000_000, unit: 1_000) = values[4]
        else {
            Issue.record("row \(row): \(values)")
            return
        }
        #expect(text(values[5]) == "\(row)")
    }

    /// The vectors, which are read here alone, by hand; and that what was given outlives the stream.
    @Test func batchesOwnTheirMemory() throws {
        var exported = ArrowArrayStream()
        var rest = [Self.batch(0..<5)]
        TableStream.export(Self.columns, rows: 4, to: &exported) { rest.popLast() }
        var (first, again, array) = (ArrowSchema(), ArrowSchema(), ArrowArray())
        #expect(exported.get_schema(&exported, &first) == 0 && exported.get_schema(&exported, &again) == 0)
        #expect(exported.get_next(&exported, &array) == 0)
        exported.release(&exported)
        #expect(exported.release == nil)
        #expect(String(cString: first.children[4]!.pointee.format) == "+w:3")
        #expect(String(cString: first.children[4]!.pointee.children[0]!.pointee.name) == "item")
        #expect(String(cString: first.children[5]!.pointee.format) == "tsu:UTC")
        #expect(first.children[0]!.pointee.flags == 2 && first.children[1]!.pointee.flags == 0)
        first.release(&first)
        #expect(String(cString: again.children[6]!.pointee.name) == "größe")
        again.release(&again)
        #expect(array.length == 4 && array.children[0]!.pointee.null_count == 1)
        // A child that somebody takes is released by that somebody.
        var vectors = array.children[4]!.pointee
        array.children[4]!.pointee.release = nil
        array.release(&array)
        #expect(array.release == nil)
        let numbers = vectors.children[0]!.pointee.buffers[1]!.assumingMemoryBound(to: Float.self)
        #expect(Array(UnsafeBufferPointer(start: numbers, count: 6)) == [0, 0, -1, 1, 0, -1])
        vectors.release(&vectors)
    }

    private struct Broken: Error, CustomStringConvertible { let description = "the model is gone" }

    @Test func errorsStay() throws {
        var exported = ArrowArrayStream()
        var calls = 0
        TableStream.export([("a", .int32)], to: &exported) {
            calls += 1
            if calls == 2 { throw Broken() }
            return TableBatch([.int32([1])])
        }
        var stream = try ArrowStream(moving: &exported)
        #expect(try stream.next()?.count == 1)
        #expect(throws: ArrowError.producer("the model is gone")) { _ = try stream.next() }
        #expect(try stream.next() == nil && calls == 2)
        for wrong in [
            [TableColumn.int64([1])], [.int32([1]), .int32([1])], [], [.vectors(width: 0, [1])],
            [.vectors(width: 2, [1])],
        ] {
            TableStream.export([("a", wrong.count == 1 ? wrong[0].type : .int32)], to: &exported) {
                TableBatch(wrong.count == 1 && wrong[0].type == .int64 ? [.int32([1])] : wrong)
            }
            var stream = try ArrowStream(moving: &exported)
            #expect(complaint { _ = try stream.next() }.contains("not those of the table"))
        }
    }

    /// Rows are made when they are asked for.
    @Test func nothingIsMadeAhead() throws {
        var (exported, made) = (ArrowArrayStream(), 0)
        TableStream.export([("a", .int32)], rows: 2, to: &exported) {
            made += 1
            return made <= 1000 ? TableBatch([.int32([1, 2, 3])]) : nil
        }
        #expect(made == 0)
        var stream = try ArrowStream(moving: &exported)
        var sizes: [Int] = []
        for _ in 0..<4 { sizes.append(try stream.next()?.count ?? 0) }
        #expect(sizes == [2, 1, 2, 1] && made == 2)
    }

    /// What goes out comes in as a log.
    @Test func exportedEventsAreEvents() throws {
        var (exported, rest) = (
            ArrowArrayStream(), [TableBatch([.text(["a", "b"]), .int64([1, 2]), .timestamps([5, 6])])]
        )
        TableStream.export([("user", .text), ("item", .int64), ("time", .timestamp)], to: &exported) { rest.popLast() }
        #expect(try InteractionLog.read(ArrowStream(moving: &exported)).count == 2)
    }
}
