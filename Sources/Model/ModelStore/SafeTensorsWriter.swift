import FileSupport
public import Foundation

extension SafeTensors {
    /// A tensor to be written.
    public struct Named: Sendable {
        /// The elements, of one of two types.
        public enum Values: Sendable {
            /// 32-bit floats, type F32.
            case floats([Float])
            /// 64-bit integers, type I64.
            case integers([Int64])
            /// 32-bit integers, type I32.
            case shortIntegers([Int32])

            /// Calls `body` with the elements in this machine's byte order, which is little-endian on every supported processor.
            func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
                switch self {
                case .floats(let values): values.withUnsafeBytes(body)
                case .integers(let values): values.withUnsafeBytes(body)
                case .shortIntegers(let values): values.withUnsafeBytes(body)
                }
            }
        }

        /// The name in the file.
        public let name: String
        /// Its shape; the product is the number of values.
        public let shape: [Int]
        /// The elements in row-major order.
        public let values: Values

        /// A tensor of `shape`, whose product is the number of values.
        public init(name: String, shape: [Int], values: Values) {
            self.name = name
            self.shape = shape
            self.values = values
        }

        var type: ElementType {
            switch values {
            case .floats: .float32
            case .integers: .int64
            case .shortIntegers: .int32
            }
        }

        var count: Int { shape.reduce(1, *) }
    }

    /// Writes a file, completely or not at all. Equal input gives equal bytes. Where `isSealed`, the metadata has a checksum of all
    /// bytes, which ``checkSeal()`` verifies.
    public static func write(
        _ tensors: [Named], metadata: [String: String] = [:], isSealed: Bool = false, to url: URL
    ) throws(ModelFileError) {
        var table: [String: Any] = [:]
        var metadata = metadata
        if isSealed { metadata["checksum"] = SealedJSON.placeholder }
        if !metadata.isEmpty { table["__metadata__"] = metadata }
        var offset = 0
        for tensor in tensors {
            let end = offset + tensor.count * tensor.type.size
            table[tensor.name] = [
                "dtype": tensor.type.rawValue, "shape": tensor.shape, "data_offsets": [offset, end],
            ]
            offset = end
        }
        guard
            var text = try? JSONSerialization.data(
                withJSONObject: table, options: [.sortedKeys, .withoutEscapingSlashes])
        else { throw .malformed(path: url.path, reason: "the header cannot be written as JSON") }
        while text.count % 8 != 0 { text.append(0x20) }
        var bytes = Array(text)
        if isSealed, let place = SealedJSON.place(in: bytes) {
            var checksum = Checksum()
            bytes.withUnsafeBytes { checksum.add($0) }
            for tensor in tensors { tensor.values.withBytes { checksum.add($0) } }
            bytes.replaceSubrange(place, with: checksum.text.utf8)
        }
        let header = bytes
        try withFileErrors { () throws(FileError) in
            var writer = try FileWriter(url)
            try withUnsafeBytes(of: UInt64(header.count).littleEndian) { (length) throws(FileError) in
                try writer.append(length)
            }
            try writer.append(header)
            for tensor in tensors { try append(tensor.values, to: &writer) }
            try writer.commit()
        }
    }

    private static func append(_ values: Named.Values, to writer: inout FileWriter) throws(FileError) {
        switch values {
        case .floats(let floats):
            for value in floats {
                try withUnsafeBytes(of: value.bitPattern.littleEndian) { (bytes) throws(FileError) in
                    try writer.append(bytes)
                }
            }
        case .integers(let integers):
            for value in integers {
                try withUnsafeBytes(of: value.littleEndian) { (bytes) throws(FileError) in try writer.append(bytes) }
            }
        case .shortIntegers(let integers): try writer.append(values: integers)
        }
    }
}
