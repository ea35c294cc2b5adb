import FileSupport
import Foundation

extension SafeTensors {
    /// A tensor to be written.
    public struct Named: Sendable {
        /// Elements of either kind.
        public enum Values: Sendable {
            case floats([Float])
            case integers([Int64])
        }

        /// Its name in the file.
        public let name: String
        /// Its shape; the product is the number of values.
        public let shape: [Int]
        /// Its elements, row by row.
        public let values: Values

        /// Groups the three.
        public init(name: String, shape: [Int], values: Values) {
            self.name = name
            self.shape = shape
            self.values = values
        }

        var type: ElementType {
            switch values {
            case .floats: .float32
            case .integers: .int64
            }
        }

        var count: Int { shape.reduce(1, *) }
    }

    /// Writes a file whole or not at all. Equal input gives equal bytes.
    public static func write(
        _ tensors: [Named], metadata: [String: String] = [:], to url: URL
    ) throws(ModelFileError) {
        var header: [String: Any] = [:]
        if !metadata.isEmpty { header["__metadata__"] = metadata }
        var offset = 0
        for tensor in tensors {
            let end = offset + tensor.count * tensor.type.size
            header[tensor.name] = [
                "dtype": tensor.type.rawValue, "shape": tensor.shape, "data_offsets": [offset, end],
            ]
            offset = end
        }
        guard
            var text = try? JSONSerialization.data(
                withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
        else { throw .malformed(path: url.path, reason: "the header cannot be written as JSON") }
        while text.count % 8 != 0 { text.append(0x20) }
        let bytes = text
        try withFileErrors { () throws(FileError) in
            var writer = try FileWriter(url)
            try withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { (length) throws(FileError) in
                try writer.append(length)
            }
            try writer.append(bytes)
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
        }
    }
}
