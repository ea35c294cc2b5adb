import FileSupport
public import Foundation

/// Named tensors in the safetensors format: an 8-byte length, a JSON header, then the elements (little-endian).
///
/// Nothing of a file is trusted before it has been checked: lengths, offsets, shapes, element types, overlaps.
public struct SafeTensors: Sendable {
    /// Element types that can be read.
    public enum ElementType: String, Sendable {
        /// IEEE 754 binary64.
        case float64 = "F64"
        /// IEEE 754 binary32.
        case float32 = "F32"
        /// IEEE 754 binary16.
        case float16 = "F16"
        /// The upper half of a binary32.
        case bfloat16 = "BF16"
        /// Signed, 64 bits.
        case int64 = "I64"
        /// Signed, 32 bits.
        case int32 = "I32"

        /// Bytes of one element.
        public var size: Int {
            switch self {
            case .float64, .int64: 8
            case .float32, .int32: 4
            case .float16, .bfloat16: 2
            }
        }
    }

    /// One tensor of a file.
    public struct Entry: Sendable, Equatable {
        /// The element type.
        public let type: ElementType
        /// The shape; empty for a scalar.
        public let shape: [Int]
        let bytes: Range<Int>
        /// Number of elements.
        public var count: Int { bytes.count / type.size }
    }

    /// The header's `__metadata__`.
    public let metadata: [String: String]
    /// Tensors by name.
    public let entries: [String: Entry]
    private let path: String
    private let file: MappedFile

    /// The largest header that is accepted, in bytes.
    static let longestHeader = 100_000_000

    /// Maps a file and checks its header; elements are read later.
    public init(_ url: URL) throws(ModelFileError) {
        try self.init(try withFileErrors { () throws(FileError) in try MappedFile(url) }, path: url.path)
    }

    /// The same for a mapped file; errors name `path`.
    init(_ file: MappedFile, path: String) throws(ModelFileError) {
        (self.file, self.path) = (file, path)
        let bytes = file.bytes
        func malformed(_ reason: String) -> ModelFileError { .malformed(path: path, reason: reason) }
        guard bytes.count >= 8 else { throw malformed("not a safetensors file: \(counted(bytes.count, "byte"))") }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= Self.longestHeader, Int(length) <= bytes.count - 8 else {
            throw malformed("the header claims \(length) bytes, the file has \(bytes.count)")
        }
        let header = Data(bytes[8..<8 + Int(length)])
        guard let object = try? JSONSerialization.jsonObject(with: header), let table = object as? [String: Any] else {
            throw malformed("the header is not a JSON object")
        }
        let body = 8 + Int(length)..<bytes.count
        var entries: [String: Entry] = [:]
        var metadata: [String: String] = [:]
        for (name, value) in table {
            if name == "__metadata__" {
                guard let texts = value as? [String: String] else { throw malformed("__metadata__ is not text by key") }
                metadata = texts
            } else {
                switch Self.entry(value, in: body) {
                case .success(let entry): entries[name] = entry
                case .failure(let problem): throw malformed("tensor \(name): \(problem.reason)")
                }
            }
        }
        let ordered = entries.filter { !$0.value.bytes.isEmpty }.sorted {
            $0.value.bytes.lowerBound < $1.value.bytes.lowerBound
        }
        for (first, second) in zip(ordered, ordered.dropFirst())
        where first.value.bytes.upperBound > second.value.bytes.lowerBound {
            throw malformed("tensors \(first.key) and \(second.key) overlap")
        }
        self.entries = entries
        self.metadata = metadata
    }

    /// Throws unless the file was written with a checksum (`isSealed`) and has not changed since. O(bytes).
    public func checkSeal() throws(ModelFileError) {
        let length = Int(UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self)))
        var header = Array(file.bytes[8..<8 + length])
        var checksum = Checksum()
        let written = SealedJSON.place(in: header).map { place in
            let digits = String(decoding: header[place], as: UTF8.self)
            header.replaceSubrange(place, with: SealedJSON.placeholder.utf8)
            return digits
        }
        header.withUnsafeBytes { checksum.add($0) }
        checksum.add(UnsafeRawBufferPointer(rebasing: file.bytes[(8 + length)...]))
        guard written == checksum.text else {
            throw .malformed(path: path, reason: "it is not as it was written: its checksum does not fit")
        }
    }

    private struct Problem: Error { let reason: String }

    private static func entry(_ value: Any, in body: Range<Int>) -> Result<Entry, Problem> {
        func fail(_ reason: String) -> Result<Entry, Problem> { .failure(Problem(reason: reason)) }
        guard let fields = value as? [String: Any], let typeName = fields["dtype"] as? String,
            let shape = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int], offsets.count == 2
        else { return fail("expected dtype, shape and two data_offsets") }
        guard let type = ElementType(rawValue: typeName) else { return fail("unknown element type \(typeName)") }
        guard shape.allSatisfy({ $0 >= 0 }) else { return fail("a negative size in shape \(shape)") }
        var size = type.size
        for dimension in shape {
            let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
            guard !overflow else { return fail("shape \(shape) is too large") }
            size = product
        }
        guard offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= body.count else {
            return fail("data_offsets \(offsets) lie outside the \(body.count) bytes of data")
        }
        guard offsets[1] - offsets[0] == size else {
            return fail(
                "shape \(shape) of \(typeName) needs \(size) bytes, data_offsets hold \(offsets[1] - offsets[0])")
        }
        return .success(
            Entry(type: type, shape: shape, bytes: body.lowerBound + offsets[0]..<body.lowerBound + offsets[1]))
    }

    /// The elements of a floating-point tensor as 32-bit floats, rounded where the file has float64.
    public func floats(_ name: String) throws(ModelFileError) -> [Float] {
        let entry = try self.entry(name)
        switch entry.type {
        case .float32: return elements(entry, UInt32.self) { Float(bitPattern: UInt32(littleEndian: $0)) }
        case .float64: return elements(entry, UInt64.self) { Float(Double(bitPattern: UInt64(littleEndian: $0))) }
        case .bfloat16:
            return elements(entry, UInt16.self) { Float(bitPattern: UInt32(UInt16(littleEndian: $0)) << 16) }
        case .float16: return elements(entry, UInt16.self) { floatFromHalf(UInt16(littleEndian: $0)) }
        case .int32, .int64:
            throw .malformed(path: path, reason: "tensor \(name) holds \(entry.type.rawValue), expected floats")
        }
    }

    /// The elements of an integer tensor.
    public func integers(_ name: String) throws(ModelFileError) -> [Int64] {
        let entry = try self.entry(name)
        switch entry.type {
        case .int32: return elements(entry, Int32.self) { Int64(Int32(littleEndian: $0)) }
        case .int64: return elements(entry, Int64.self) { Int64(littleEndian: $0) }
        default: throw .malformed(path: path, reason: "tensor \(name) holds \(entry.type.rawValue), expected integers")
        }
    }

    private func entry(_ name: String) throws(ModelFileError) -> Entry {
        guard let entry = entries[name] else { throw .malformed(path: path, reason: "there is no tensor \(name)") }
        return entry
    }

    private func elements<Raw: BitwiseCopyable, Value>(
        _ entry: Entry, _ type: Raw.Type, _ convert: (Raw) -> Value
    ) -> [Value] {
        let start = entry.bytes.lowerBound
        return (0..<entry.count).map {
            convert(file.bytes.loadUnaligned(fromByteOffset: start + $0 * MemoryLayout<Raw>.size, as: Raw.self))
        }
    }
}

/// Converts IEEE 754 binary16 to binary32 exactly, on every processor.
private func floatFromHalf(_ bits: UInt16) -> Float {
    let (sign, exponent, fraction) = (UInt32(bits >> 15) << 31, UInt32(bits >> 10) & 31, UInt32(bits & 0x3FF))
    switch exponent {
    case 0: return (sign == 0 ? 1 : -1) * Float(fraction) * 0x1p-24
    case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
}
