import FileSupport
import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

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
            #expect(
                fileError { try writeFile([1], to: occupied) }?.description
                    == "\(occupied.path): cannot create: something else than a file is in its place")
            #expect(try contents(of: folder) == ["folder"])
        }
    }
}

extension FileWriterTests {
    @Test func linksStayAndPermissionsToo() throws {
        try withTemporaryFolder { folder in
            let (file, link) = (folder.appendingPathComponent("file"), folder.appendingPathComponent("link"))
            try writeFile([1], to: file)
            chmod(file.path, 0o600)
            try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "file")
            try writeFile([2], to: link)
            #expect(try readFile(file) == [2])
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == "file")
            let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let dangling = folder.appendingPathComponent("dangling")
            try FileManager.default.createSymbolicLink(atPath: dangling.path, withDestinationPath: "new")
            try writeFile([3], to: dangling)
            #expect(try contents(of: folder) == ["dangling", "file", "link", "new"])
        }
    }

    /// A device or a pipe is never replaced by a file.
    @Test func devicesAreNotReplaced() throws {
        try withTemporaryFolder { folder in
            let pipe = folder.appendingPathComponent("pipe")
            #expect(mkfifo(pipe.path, 0o600) == 0)
            #expect(fileError { try writeFile([1], to: pipe) }?.reason == "something else than a file is in its place")
            #expect(fileError { _ = try readFile(pipe) }?.reason == "not a regular file")
            let names = try contents(of: folder)
            #expect(names == ["pipe"])
        }
    }

    /// What a killed writer left goes with the next one; what a living one is writing stays.
    @Test func leftoversGoButNotOfTheLiving() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("file")
            for name in [".file.17.tmp", ".file.x.tmp", ".file.17.old", ".other.17.tmp", ".file.12345678901.tmp"] {
                try Data([9]).write(to: folder.appendingPathComponent(name))
            }
            let writer = try FileWriter(url)
            try writeFile([1], to: url)
            let left = try contents(of: folder).filter { !$0.hasPrefix(".file.") || !$0.hasSuffix(".tmp") }
            #expect(left == [".file.17.old", ".other.17.tmp", "file"])
            #expect(try contents(of: folder).count == 6)
            try writer.commit()
            #expect(try contents(of: folder).count == 5)
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
