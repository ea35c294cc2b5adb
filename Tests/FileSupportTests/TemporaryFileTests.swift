import FileSupport
import Foundation
import Testing

@Suite struct TemporaryFileTests {
    private func append(_ bytes: [UInt8], to file: inout TemporaryFile) throws {
        try bytes.withUnsafeBufferPointer { (bytes) throws(FileError) in
            try file.append(UnsafeRawBufferPointer(bytes))
        }
    }

    private func read(_ range: Range<Int>, of file: borrowing TemporaryFile) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        try bytes.withUnsafeMutableBufferPointer { (bytes) throws(FileError) in
            try file.read(into: UnsafeMutableRawBufferPointer(bytes), at: range.lowerBound)
        }
        return bytes
    }

    @Test func givesBackWhatWasAppendedAndNeverShows() throws {
        try withTemporaryFolder { parent in
            let folder = parent.appendingPathComponent("new/folder")
            var file = try TemporaryFile(in: folder)
            try append([1, 2, 3], to: &file)
            try append([], to: &file)
            let long = (0..<3 << 20).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try append(long, to: &file)
            #expect(file.count == 3 + long.count)
            #expect(try read(0..<5, of: file) == [1, 2, 3, 0, 7])
            #expect(try read(3..<3 + long.count, of: file) == long)
            #expect(try read(file.count..<file.count, of: file) == [])
            #expect(try contents(of: folder) == [])
        }
    }

    @Test func twoAtATimeAreNotTheSame() throws {
        try withTemporaryFolder { folder in
            var a = try TemporaryFile(in: folder)
            var b = try TemporaryFile(in: folder)
            try append([1], to: &a)
            try append([2], to: &b)
            #expect(try [read(0..<1, of: a), read(0..<1, of: b)] == [[1], [2]])
        }
    }

    @Test func aFolderThatCannotBe() throws {
        try withTemporaryFolder { parent in
            let folder = parent.appendingPathComponent("file/folder")
            try writeFile([1], to: parent.appendingPathComponent("file"))
            #expect(
                fileError { _ = try TemporaryFile(in: folder) }?.description
                    == "\(folder.path): cannot create: Not a directory")
        }
    }

    @Test func readingBehindTheEndStops() async {
        await #expect(processExitsWith: .failure) {
            let file = try TemporaryFile(in: FileManager.default.temporaryDirectory)
            try file.read(into: .allocate(byteCount: 1, alignment: 1), at: 0)
        }
    }
}
