public import CArrow
import Foundation

/// Gives a table to another program, batch by batch, by the Arrow C stream interface.
public enum TableStream {
    /// The most rows of a batch, unless ``export(_:rows:to:next:)`` is told another number.
    public static let rows = 1 << 16

    /// Makes `target` a stream of a table. Nothing of the table is made before it is asked for, and what was given belongs to who
    /// asked: it can outlive the stream.
    ///
    /// The stream is not for several threads at once; `next` is called on the thread that asks, and goes with the stream's release. An
    /// error of `next`, or rows that do not fit `columns`, become the stream's error, which stays.
    /// - Parameters:
    ///   - columns: names and types.
    ///   - rows: the most rows of a batch, at least 1: longer ones are cut.
    ///   - target: is overwritten, not released.
    ///   - next: the next rows of the table, nil after the last.
    public static func export(
        _ columns: [(name: String, type: TableColumnType)], rows: Int = TableStream.rows,
        to target: UnsafeMutablePointer<ArrowArrayStream>, next: @escaping () throws -> TableBatch?
    ) {
        let source = TableSource(columns, max(1, rows), next)
        target.initialize(
            to: ArrowArrayStream(
                get_schema: { stream, target in
                    guard let source = TableSource.of(stream), let target else { return EINVAL }
                    target.initialize(to: exportedSchema(source.columns))
                    return 0
                },
                get_next: { stream, target in
                    guard let source = TableSource.of(stream), let target else { return EINVAL }
                    return source.next(into: target)
                },
                get_last_error: { stream in TableSource.of(stream)?.failure.map { UnsafePointer($0) } },
                release: { stream in
                    guard let stream, let source = stream.pointee.private_data else { return }
                    stream.pointee.release = nil
                    stream.pointee.private_data = nil
                    Unmanaged<TableSource>.fromOpaque(source).release()
                },
                private_data: Unmanaged.passRetained(source).toOpaque()))
    }
}

/// What an exported stream holds.
private final class TableSource {
    let columns: [(name: String, type: TableColumnType)]
    private let limit: Int
    private let batches: () throws -> TableBatch?
    private var hasEnded = false
    /// The batch that is being given, and its rows that remain.
    private var batch = TableBatch([])
    private var remaining = 0..<0
    /// Why it cannot go on, as a C string; nil where it can.
    private(set) var failure: UnsafeMutablePointer<CChar>?

    init(
        _ columns: [(name: String, type: TableColumnType)], _ limit: Int, _ batches: @escaping () throws -> TableBatch?
    ) {
        (self.columns, self.limit, self.batches) = (columns, limit, batches)
    }

    deinit { free(failure) }

    static func of(_ stream: UnsafeMutablePointer<ArrowArrayStream>?) -> TableSource? {
        stream?.pointee.private_data.map { Unmanaged<TableSource>.fromOpaque($0).takeUnretainedValue() }
    }

    /// The callback `get_next`: 0, or an error of the system.
    func next(into target: UnsafeMutablePointer<ArrowArray>) -> Int32 {
        target.initialize(to: ArrowArray())
        guard failure == nil else { return EIO }
        do {
            while remaining.isEmpty, !hasEnded {
                guard let batch = try batches() else {
                    hasEnded = true
                    break
                }
                guard let count = batch.count(columns.map(\.type)) else {
                    return fail("the columns of a batch are not those of the table, or not equally long")
                }
                (self.batch, remaining) = (batch, 0..<count)
            }
        } catch { return fail("\(error)") }
        guard !remaining.isEmpty else { return 0 }
        let rows = remaining.prefix(limit)
        guard batch.hasOffsets(for: rows) else { return fail("a batch has more than 2 GB of text") }
        remaining = rows.upperBound..<remaining.upperBound
        target.initialize(to: exportedBatch(batch, rows))
        if remaining.isEmpty { batch = TableBatch([]) }
        return 0
    }

    private func fail(_ reason: String) -> Int32 {
        failure = strdup(reason)
        return failure == nil ? ENOMEM : EIO
    }
}
