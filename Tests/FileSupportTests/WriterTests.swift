import FileSupport
import Foundation
import Testing

@Suite struct FileWriterTests {
    @Test func writesWholeFiles() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("file")
            try writeFile([1, 2, 3], to: url)
            #expect(try readFile(url) == [1, 2, 3])
            try writeFile([], to: url)
            #expect(try readFile(url) == [])
            #expect(try contents(of: folder) == ["file"])
        }
    }

    @Test func streamsMoreThanItsBuffer() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("file")
            var writer = try FileWriter(url)
            var expected: [UInt8] = []
            for i in 0..<50 {
                let piece = [UInt8](repeating: UInt8(i), count: 100_003)
                try writer.append(piece)
                expected += piece
            }
            try writer.append("été")
            try writer.append(values: [Int32(1), -2])
            try writer.commit()
            #expect(try readFile(url) == expected + Array("été".utf8) + [1, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF])
        }
    }

    @Test func nothingShowsBeforeTheCommit() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("file")
            try writeFile([1], to: url)
            var writer = try FileWriter(url)
            try writer.append([2])
            #expect(try readFile(url) == [1])
            try writer.commit()
            #expect(try readFile(url) == [2])
        }
    }

    @Test func aDroppedWriterLeavesWhatWasThere() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("file")
            try writeFile([1], to: url)
            do {
                var writer = try FileWriter(url)
                try writer.append([UInt8](repeating: 2, count: 3 << 20))
                #expect(try contents(of: folder).count == 2)
            }
            #expect(try readFile(url) == [1])
            #expect(try contents(of: folder) == ["file"])
        }
    }

    @Test func errorsNameThePathAndTheReason() throws {
        try withTemporaryFolder { folder in
            let nowhere = folder.appendingPathComponent("no/file")
            #expect(
                fileError { try writeFile([1], to: nowhere) }?.description
                    == "\(nowhere.path): cannot create: No such file or directory")
            let occupied = folder.appendingPathComponent("folder")
            try FileManager.default.createDirectory(at: occupied, withIntermediateDirectories: true)
            #expect(fileError { try writeFile([1], to: occupied) }?.operation == "rename to")
            #expect(try contents(of: folder) == ["folder"])
        }
    }
}

@Suite struct FolderWriterTests {
    private struct Stop: Error {}

    private func write(_ url: URL, _ files: [String: [UInt8]], replaceable: Set<String> = ["a", "b"]) throws {
        try writeFolder(url, replaceable: replaceable, wrap: { $0 as any Error }) { folder in
            for (name, bytes) in files { try writeFile(bytes, to: folder.appendingPathComponent(name)) }
        }
    }

    @Test func makesAndReplacesFolders() throws {
        try withTemporaryFolder { parent in
            let url = parent.appendingPathComponent("deep/folder")
            try write(url, ["a": [1], "b": [2]])
            #expect(try contents(of: url) == ["a", "b"])
            try write(url, ["a": [3]])
            #expect(try contents(of: url) == ["a"])
            #expect(try readFile(url.appendingPathComponent("a")) == [3])
            #expect(try contents(of: url.deletingLastPathComponent()) == ["folder"])
        }
    }

    @Test func aBodyThatThrowsLeavesWhatWasThere() throws {
        try withTemporaryFolder { parent in
            let url = parent.appendingPathComponent("folder")
            for existing in [[:], ["a": [1]]] as [[String: [UInt8]]] {
                if !existing.isEmpty { try write(url, existing) }
                #expect(throws: Stop.self) {
                    try writeFolder(url, replaceable: ["a"], wrap: { $0 as any Error }) { folder in
                        try writeFile([9], to: folder.appendingPathComponent("a"))
                        throw Stop()
                    }
                }
                #expect(try contents(of: parent) == (existing.isEmpty ? [] : ["folder"]))
            }
            #expect(try readFile(url.appendingPathComponent("a")) == [1])
        }
    }

    @Test func neverDeletesWhatIsNotItsOwn() throws {
        try withTemporaryFolder { parent in
            let file = parent.appendingPathComponent("ratings.csv")
            try writeFile([1], to: file)
            #expect(
                fileError { try write(file, ["a": [2]]) }?.description
                    == "\(file.path): cannot replace: it is a file, expected a folder or nothing")
            let expected = "it holds ratings.csv, which does not belong there; choose another folder"
            #expect(fileError { try write(parent, ["a": [2]]) }?.reason == expected)
            #expect(fileError { try write(parent.appendingPathComponent("."), ["a": [2]]) }?.reason == expected)
            #expect(try contents(of: parent) == ["ratings.csv"])
            #expect(try readFile(file) == [1])
        }
    }

    @Test func anEmptyFolderIsFilled() throws {
        try withTemporaryFolder { parent in
            let url = parent.appendingPathComponent("folder")
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            try write(url, ["a": [1]])
            #expect(try contents(of: url) == ["a"])
        }
    }
}

@Suite struct MappedFileTests {
    @Test func mapsBytes() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("file")
            let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
            try writeFile(bytes, to: url)
            let file = try MappedFile(url)
            try FileManager.default.removeItem(at: url)
            #expect(withExtendedLifetime(file) { file.bytes.elementsEqual(bytes) })
        }
    }

    @Test func emptyMissingAndIrregular() throws {
        try withTemporaryFolder { folder in
            let empty = folder.appendingPathComponent("empty")
            try writeFile([], to: empty)
            #expect(try MappedFile(empty).bytes.count == 0)
            let missing = folder.appendingPathComponent("missing")
            #expect(
                fileError { _ = try MappedFile(missing) }?.description
                    == "\(missing.path): cannot open: No such file or directory")
            #expect(fileError { _ = try MappedFile(folder) }?.reason == "not a regular file")
        }
    }
}
