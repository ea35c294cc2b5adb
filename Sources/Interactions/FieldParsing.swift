import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

typealias Bytes = UnsafeRawBufferPointer

/// A problem with one line, before file and line number are known.
struct LineProblem: Error {
    let reason: String
}

/// Cuts lines into fields, reusing its memory. Fields are valid until the next line.
struct FieldSplitter {
    private(set) var fields: [Bytes] = []
    private let scratch = Scratch()

    /// Fields between single `separator` bytes.
    mutating func split(_ line: Bytes, separator: UInt8) {
        fields.removeAll(keepingCapacity: true)
        var start = 0
        while true {
            let rest = line.count - start
            guard rest > 0, let found = memchr(line.baseAddress! + start, Int32(separator), rest) else { break }
            let end = UnsafeRawPointer(found) - line.baseAddress!
            fields.append(Bytes(rebasing: line[start..<end]))
            start = end + 1
        }
        fields.append(Bytes(rebasing: line[start..<line.count]))
    }

    /// Fields between runs of spaces and tabs.
    mutating func splitWhitespace(_ line: Bytes) {
        fields.removeAll(keepingCapacity: true)
        var start = 0
        for i in 0...line.count where i == line.count || line[i] == 0x20 || line[i] == 0x09 {
            if i > start { fields.append(Bytes(rebasing: line[start..<i])) }
            start = i + 1
        }
    }

    /// Fields between `::`.
    mutating func splitDoubleColon(_ line: Bytes) {
        fields.removeAll(keepingCapacity: true)
        var start = 0
        var i = 0
        while i + 1 < line.count {
            if line[i] == 0x3A, line[i + 1] == 0x3A {
                fields.append(Bytes(rebasing: line[start..<i]))
                i += 2
                start = i
            } else {
                i += 1
            }
        }
        fields.append(Bytes(rebasing: line[start..<line.count]))
    }

    /// Fields between commas, quoted as in RFC 4180 where they hold commas or (doubled) quotes.
    mutating func splitCSV(_ line: Bytes) throws(LineProblem) {
        guard line.count > 0, memchr(line.baseAddress!, 0x22, line.count) != nil else {
            return split(line, separator: 0x2C)
        }
        fields.removeAll(keepingCapacity: true)
        scratch.reserve(line.count)
        var start = 0
        repeat {
            if start < line.count, line[start] == 0x22 {
                start = try takeQuoted(line, from: start + 1)
            } else {
                var end = start
                while end < line.count && line[end] != 0x2C { end += 1 }
                fields.append(Bytes(rebasing: line[start..<end]))
                start = end + 1
            }
        } while start <= line.count
    }

    /// The field whose opening quote stands before `start`; returns where the next field starts.
    private mutating func takeQuoted(_ line: Bytes, from start: Int) throws(LineProblem) -> Int {
        let first = scratch.used
        var i = start
        while i < line.count {
            if line[i] != 0x22 {
                scratch.append(line[i])
                i += 1
            } else if i + 1 < line.count, line[i + 1] == 0x22 {
                scratch.append(0x22)
                i += 2
            } else {
                guard i + 1 == line.count || line[i + 1] == 0x2C else {
                    throw LineProblem(reason: "a closing quote must be followed by a comma or the end of the line")
                }
                fields.append(scratch.bytes(from: first))
                return i + 2
            }
        }
        throw LineProblem(reason: "a quote is not closed (a quoted field may not run over several lines)")
    }
}

/// Where quoted text is put together: room for one line, at one address until the next.
final class Scratch {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 1)
    private(set) var used = 0

    deinit { memory.deallocate() }

    /// Forgets everything and makes room for `count` bytes.
    func reserve(_ count: Int) {
        used = 0
        guard count > memory.count else { return }
        memory.deallocate()
        memory = .allocate(byteCount: count, alignment: 1)
    }

    func append(_ byte: UInt8) {
        memory[used] = byte
        used += 1
    }

    func bytes(from first: Int) -> Bytes { Bytes(rebasing: UnsafeRawBufferPointer(memory)[first..<used]) }
}

/// A number: digits with sign, fraction and exponent, nothing around it; nil if it is none or not finite.
func parseNumber(_ bytes: Bytes) -> Double? {
    guard !bytes.isEmpty, bytes.count <= 64 else { return nil }
    guard bytes.count <= 16 else { return parseGeneralNumber(bytes) }
    // Up to 15 digits and a power of ten up to 15 are exact, so that their quotient is rounded once, as it should be.
    var value = 0
    var scale = 0
    for byte in bytes {
        if byte >= 0x30, byte <= 0x39 {
            value = value * 10 + Int(byte - 0x30)
            scale *= 10
        } else if byte == 0x2E, scale == 0, bytes.count > 1 {
            scale = 1
        } else {
            return parseGeneralNumber(bytes)
        }
    }
    guard scale > 0 else { return Double(value) }
    return Double(value) / Double(scale)
}

private func parseGeneralNumber(_ bytes: Bytes) -> Double? {
    let allowed = bytes.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x2B, 0x2D, 0x2E, 0x45, 0x65: true
        default: false
        }
    }
    guard allowed, let value = Double(String(decoding: bytes, as: UTF8.self)), value.isFinite else { return nil }
    return value
}
