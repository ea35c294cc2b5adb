import FileSupport
import Foundation
import Tensors
import Testing

@Suite struct LineReaderTests {
    @Test(arguments: [
        ("", []),
        ("\n", [""]),
        ("a", ["a"]),
        ("a\n", ["a"]),
        ("a\nb", ["a", "b"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("a\r", ["a"]),
        ("a\r\r\n", ["a\r"]),
        ("a\rb\n", ["a\rb"]),
        ("\r\n\r\n", ["", ""]),
        ("\n\na\n\n", ["", "", "a", ""]),
        ("\u{FEFF}a\nb", ["a", "b"]),
        ("\u{FEFF}", []),
        ("\u{FEFF}\u{FEFF}a", ["\u{FEFF}a"]),
        ("a\n\u{FEFF}b", ["a", "\u{FEFF}b"]),
    ])
    func plainAndPacked(_ text: String, _ expected: [String]) throws {
        let expected = expected.map { [UInt8]($0.utf8) }
        #expect(try lines(of: [UInt8](text.utf8)) == expected)
        #expect(try lines(of: gzipped([UInt8](text.utf8))) == expected)
    }

    @Test func twoBytesOfAByteOrderMarkAreText() throws {
        #expect(try lines(of: [0xEF, 0xBB]) == [[0xEF, 0xBB]])
        #expect(try lines(of: [0xEF, 0xBB, 0x0A, 0x41]) == [[0xEF, 0xBB], [0x41]])
    }

    @Test func gzipIsToldByContentNotByName() throws {
        #expect(try lines(of: gzipped([0x61, 0x0A]), named: "plain.csv") == [[0x61]])
        #expect(try lines(of: [0x61, 0x0A], named: "packed.csv.gz") == [[0x61]])
    }

    @Test func saysHowMuchIsRead() throws {
        var random = SeededGenerator(seed: 22)
        let numbers = (0..<200_000).map { _ in UInt64.random(in: 0 ... .max, using: &random) }
        let text = [UInt8](numbers.map { "\($0)\n" }.joined().utf8)
        for bytes in [text, try gzipped(text)] {
            try withTemporaryFolder { folder in
                let url = folder.appendingPathComponent("log")
                try Data(bytes).write(to: url)
                var reader = try LineReader(url)
                var fractions = [reader.fractionRead]
                while try reader.next() != nil { fractions.append(reader.fractionRead) }
                #expect(fractions.first == 0 && fractions.last == 1)
                #expect(fractions == fractions.sorted())
                #expect(fractions.contains { $0 > 0.2 && $0 < 0.8 })
            }
        }
    }

    @Test func gzipMembersOneAfterTheOther() throws {
        #expect(try lines(of: gzipped(Array("a\nb".utf8)) + gzipped(Array("c\nd\n".utf8))).count == 3)
    }

    /// `gzip` fills up tapes with zeros; anything else behind the data is data that would be lost.
    @Test func whatFollowsGzipData() throws {
        let packed = try gzipped(Array("a\nb\n".utf8))
        #expect(try lines(of: packed + [UInt8](repeating: 0, count: 700_000)).count == 2)
        for rest in [[0x63], [0x1F], [0, 0, 0x63], [0x0A], Array("c,d\n".utf8)] as [[UInt8]] {
            let error = fileError { _ = try lines(of: packed + rest) }
            #expect(
                error?.reason == "behind the end of its gzip data, at byte \(packed.count), there is something else")
        }
    }

    @Test func peekedBytesAreReadAgain() throws {
        let text = "\u{FEFF}ab\ncd\n" + String(repeating: "x", count: 3 << 20)
        for bytes in [[UInt8](text.utf8), try gzipped([UInt8](text.utf8))] {
            try withTemporaryFolder { folder in
                let url = folder.appendingPathComponent("log")
                try Data(bytes).write(to: url)
                var reader = try LineReader(url)
                #expect([UInt8](try reader.peek(2).prefix(5)) == Array("ab\ncd".utf8))
                #expect(try reader.peek(2 << 20).count >= 2 << 20)
                #expect(try reader.next().map { [UInt8]($0) } == Array("ab".utf8))
                #expect([UInt8](try reader.peek(1).prefix(2)) == Array("cd".utf8))
                #expect(try reader.peek(9 << 20).count == (3 << 20) + 3)
                #expect(try reader.next()?.count == 2)
                #expect(try reader.next()?.count == 3 << 20)
                #expect(try reader.next() == nil && reader.peek(5).isEmpty)
            }
        }
    }

    /// A record of several lines, each around the buffer's edge.
    @Test func linesAreJoinedOnRequest() throws {
        let lengths = [1, 0, 1 << 20, 3, (1 << 20) - 5, 2 << 20]
        let text = lengths.enumerated().map { String(repeating: "\($0)", count: $1) }.joined(separator: "\r\n")
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("log")
            try Data("first\n\(text)\r\nlast".utf8).write(to: url)
            var reader = try LineReader(url)
            #expect(try reader.next()?.count == 5)
            var record = [UInt8](try #require(try reader.next()))
            for _ in 1..<lengths.count { record = [UInt8](try #require(try reader.extend())) }
            #expect(record == [UInt8](text.utf8))
            #expect(reader.lineNumber == 7)
            #expect(try reader.next().map { [UInt8]($0) } == Array("last".utf8))
            #expect(try reader.extend() == nil)
        }
    }

    /// Line lengths around the size of the buffer, where lines are moved and the buffer grows.
    @Test func linesAroundTheBuffersEdge() throws {
        let mega = 1 << 20
        let lengths = [mega - 1, mega, mega + 1, 3, 0, 2 * mega, 2 * mega - 3, 1, 5 * mega, 7]
        var bytes: [UInt8] = []
        for (i, length) in lengths.enumerated() {
            bytes += [UInt8](repeating: UInt8(0x61 + i), count: length) + (i % 2 == 0 ? [0x0A] : [0x0D, 0x0A])
        }
        for packed in [false, true] {
            let found = try lines(of: packed ? gzipped(bytes) : bytes)
            #expect(found.map(\.count) == lengths)
            #expect(found.enumerated().allSatisfy { i, line in line.allSatisfy { $0 == UInt8(0x61 + i) } })
        }
    }

    @Test func randomTextComesBackLineByLine() throws {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                [0x0A, 0x0D, 0x61, 0xFF][Int.random(in: 0..<4, using: &random)] as UInt8
            }
            var expected = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
                [UInt8](line.last == 0x0D ? line.dropLast() : line)
            }
            if bytes.isEmpty || bytes.last == 0x0A { expected.removeLast() }
            #expect(try lines(of: bytes) == expected, "\(bytes)")
        }
    }

    @Test func theLongestLineAndOneByteMore() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("long")
            let longest = [UInt8](repeating: 0x78, count: LineReader.longestLine)
            try Data(longest + [0x0D, 0x0A, 0x61]).write(to: url)
            #expect(try lines(of: url).map(\.count) == [longest.count, 1])
            let expected = "\(url.path): cannot read line 1: it is longer than 64 MB"
            for end in [[], [0x0A], [0x78, 0x78, 0x0A]] as [[UInt8]] {
                try Data(longest + [0x78] + end).write(to: url)
                #expect(fileError { _ = try lines(of: url) }?.description == expected)
            }
        }
    }

    @Test func everyTruncationOfGzipIsAnError() throws {
        let packed = try gzipped(Array("user,item\n1,2\n3,4\n".utf8))
        for length in 2..<packed.count {
            let error = fileError { _ = try lines(of: Array(packed[0..<length])) }
            #expect(error?.operation == .read, "cut to \(length) of \(packed.count) bytes")
            #expect(error?.reason.hasPrefix("damaged gzip data") == true)
        }
    }

    /// Behind the header's ten bytes everything is under the checksum.
    @Test func everyDamagedByteOfGzipIsAnError() throws {
        let text = [UInt8]((0..<60).map { "\($0 * 7919 % 1000),\($0)\n" }.joined().utf8)
        let packed = try gzipped(text)
        for i in 10..<packed.count {
            var damaged = packed
            damaged[i] ^= 0x55
            #expect(fileError { _ = try lines(of: damaged) }?.operation == .read, "byte \(i)")
        }
    }

    @Test func missingFilesAndFolders() throws {
        try withTemporaryFolder { folder in
            let missing = folder.appendingPathComponent("missing")
            #expect(
                fileError { _ = try LineReader(missing) }?.description
                    == "\(missing.path): cannot open: No such file or directory")
            #expect(
                fileError { _ = try LineReader(folder) }?.description
                    == "\(folder.path): cannot open: it is a folder")
        }
    }
}
