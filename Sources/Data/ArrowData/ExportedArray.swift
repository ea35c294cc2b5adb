import CArrow

/// Rows of a batch as a struct array that owns its memory.
func exportedBatch(_ batch: TableBatch, _ rows: Range<Int>) -> ArrowArray {
    exportedArray(
        length: rows.count, buffers: [nil], children: batch.columns.map { exportedColumn($0, rows) })
}

private func exportedColumn(_ column: TableColumn, _ rows: Range<Int>) -> ArrowArray {
    switch column {
    case .text(let values): exportedTexts(values[rows])
    case .int32(let values): exportedNumbers(values[rows])
    case .int64(let values), .timestamps(let values): exportedNumbers(values[rows])
    case .float32(let values): exportedNumbers(values[rows])
    case .vectors(let width, let values):
        exportedArray(
            length: rows.count, buffers: [nil],
            children: [exportedNumbers(values[rows.lowerBound * width..<rows.upperBound * width])])
    }
}

private func exportedNumbers<Number: BitwiseCopyable>(_ values: ArraySlice<Number>) -> ArrowArray {
    exportedArray(length: values.count, buffers: [nil, copied(values)])
}

/// Offsets of 32 bits: a batch's texts are less than 2 GB, unless its rows have 32 kB each.
private func exportedTexts(_ values: ArraySlice<String?>) -> ArrowArray {
    var (bytes, offsets): ([UInt8], [Int32]) = ([], [0])
    var bits = [UInt8](repeating: 0, count: (values.count + 7) / 8)
    var nulls = 0
    for (row, value) in values.enumerated() {
        if let value {
            bytes.append(contentsOf: value.utf8)
            bits[row / 8] |= 1 << UInt8(row % 8)
        } else {
            nulls += 1
        }
        offsets.append(Int32(bytes.count))
    }
    return exportedArray(
        length: values.count, nulls: nulls,
        buffers: [nulls > 0 ? copied(bits[...]) : nil, copied(offsets[...]), copied(bytes[...])])
}

/// A copy in memory that is aligned as Arrow recommends; never empty, since some readers want an address.
private func copied<Number: BitwiseCopyable>(_ values: ArraySlice<Number>) -> UnsafeMutableRawPointer {
    values.withUnsafeBytes { bytes in
        let copy = UnsafeMutableRawPointer.allocate(byteCount: max(64, bytes.count), alignment: 64)
        if let first = bytes.baseAddress { copy.copyMemory(from: first, byteCount: bytes.count) }
        return copy
    }
}

/// What an exported array or schema owns, released with it.
private final class OwnedMemory<Struct> {
    let buffers: UnsafeMutablePointer<UnsafeRawPointer?>
    let children: UnsafeMutablePointer<UnsafeMutablePointer<Struct>?>
    private let bufferCount: Int
    private let childCount: Int
    private let release: (UnsafeMutablePointer<Struct>) -> Void

    /// - Parameter release: releases a child that nobody has taken.
    init(
        _ buffers: [UnsafeRawPointer?], _ children: [Struct], release: @escaping (UnsafeMutablePointer<Struct>) -> Void
    ) {
        (bufferCount, childCount, self.release) = (buffers.count, children.count, release)
        self.buffers = .allocate(capacity: max(1, buffers.count))
        self.children = .allocate(capacity: max(1, children.count))
        for (i, buffer) in buffers.enumerated() { (self.buffers + i).initialize(to: buffer) }
        for (i, child) in children.enumerated() {
            let place = UnsafeMutablePointer<Struct>.allocate(capacity: 1)
            place.initialize(to: child)
            (self.children + i).initialize(to: place)
        }
    }

    deinit {
        for i in 0..<bufferCount { buffers[i]?.deallocate() }
        for i in 0..<childCount {
            guard let child = children[i] else { continue }
            release(child)
            child.deallocate()
        }
        buffers.deallocate()
        children.deallocate()
    }
}

private func exportedArray(
    length: Int, nulls: Int = 0, buffers: [UnsafeMutableRawPointer?], children: [ArrowArray] = []
) -> ArrowArray {
    let memory = OwnedMemory(buffers.map { UnsafeRawPointer($0) }, children, release: ArrowArray.release)
    return ArrowArray(
        length: Int64(length), null_count: Int64(nulls), offset: 0, n_buffers: Int64(buffers.count),
        n_children: Int64(children.count), buffers: memory.buffers, children: children.isEmpty ? nil : memory.children,
        dictionary: nil,
        release: { array in
            guard let array, let memory = array.pointee.private_data else { return }
            array.pointee.release = nil
            array.pointee.private_data = nil
            Unmanaged<OwnedMemory<ArrowArray>>.fromOpaque(memory).release()
        },
        private_data: Unmanaged.passRetained(memory).toOpaque())
}

/// The schema of a table.
func exportedSchema(_ columns: [(name: String, type: TableColumnType)]) -> ArrowSchema {
    exportedSchema(
        "", "+s", isNullable: false,
        columns.map { name, type in
            let items =
                if case .vector = type { [exportedSchema("item", "f", isNullable: false)] } else { [ArrowSchema]() }
            return exportedSchema(name, type.format, isNullable: type == .text, items)
        })
}

private func exportedSchema(
    _ name: String, _ format: String, isNullable: Bool, _ children: [ArrowSchema] = []
) -> ArrowSchema {
    // A name cannot hold a zero byte in C: it ends there.
    let texts = [name, format].map { copied(Array($0.utf8CString)[...]) }
    let memory = OwnedMemory(texts.map { UnsafeRawPointer($0) }, children, release: ArrowSchema.release)
    return ArrowSchema(
        format: texts[1].assumingMemoryBound(to: CChar.self), name: texts[0].assumingMemoryBound(to: CChar.self),
        metadata: nil, flags: isNullable ? Int64(ARROW_FLAG_NULLABLE) : 0, n_children: Int64(children.count),
        children: children.isEmpty ? nil : memory.children, dictionary: nil,
        release: { schema in
            guard let schema, let memory = schema.pointee.private_data else { return }
            schema.pointee.release = nil
            schema.pointee.private_data = nil
            Unmanaged<OwnedMemory<ArrowSchema>>.fromOpaque(memory).release()
        },
        private_data: Unmanaged.passRetained(memory).toOpaque())
}
