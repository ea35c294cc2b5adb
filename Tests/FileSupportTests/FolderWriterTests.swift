import FileSupport
import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite struct FolderWriterTests {
    private struct Stop: Error {}

    private static let kind = FolderKind(name: "pair", files: ["a", "b"], marker: "a", markerKeys: ["pair"])
    private static let old = Array("{\"pair\": 1}".utf8)
    private static let new = Array("{\"pair\": 2}".utf8)

    private func write(_ url: URL, _ files: [String: [UInt8]]) throws {
        try writeFolder(url, Self.kind, wrap: { $0 as any Error }) { folder in
            for (name, bytes) in files { try writeFile(bytes, to: folder.appendingPathComponent(name)) }
        }
    }

    private func folder(_ url: URL, _ files: [String: [UInt8]] = [:]) throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        for (name, bytes) in files { try Data(bytes).write(to: url.appendingPathComponent(name)) }
    }

    @Test func makesAndReplacesFolders() throws {
        try withTemporaryFolder { parent in
            let url = parent.appendingPathComponent("deep/folder")
            try write(url, ["a": Self.old, "b": [2]])
            #expect(try contents(of: url) == ["a", "b"])
            chmod(url.path, 0o750)
            try write(url, ["a": Self.new])
            #expect(try contents(of: url) == ["a"])
            #expect(try readFile(url.appendingPathComponent("a")) == Self.new)
            #expect(try contents(of: url.deletingLastPathComponent()) == ["folder"])
            let mode = try FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions] as? Int
            #expect(mode == 0o750, "permissions stay")
        }
    }

    @Test func aBodyThatThrowsLeavesWhatWasThere() throws {
        try withTemporaryFolder { parent in
            let url = parent.appendingPathComponent("folder")
            for existing in [[:], ["a": Self.old]] as [[String: [UInt8]]] {
                if !existing.isEmpty { try write(url, existing) }
                #expect(throws: Stop.self) {
                    try writeFolder(url, Self.kind, wrap: { $0 as any Error }) { folder in
                        try writeFile([9], to: folder.appendingPathComponent("a"))
                        throw Stop()
                    }
                }
                #expect(try contents(of: parent) == (existing.isEmpty ? [] : ["folder"]))
            }
            #expect(try readFile(url.appendingPathComponent("a")) == Self.old)
        }
    }

    @Test func neverDeletesWhatIsNotItsOwn() throws {
        try withTemporaryFolder { parent in
            let file = parent.appendingPathComponent("ratings.csv")
            try writeFile([1], to: file)
            #expect(
                fileError { try write(file, ["a": Self.new]) }?.description
                    == "\(file.path): cannot replace: it is a file, expected a folder or nothing")
            let expected = "it holds ratings.csv, which does not belong there; choose another folder"
            #expect(fileError { try write(parent, ["a": Self.new]) }?.reason == expected)
            #expect(fileError { try write(parent.appendingPathComponent("."), ["a": Self.new]) }?.reason == expected)
            #expect(try contents(of: parent) == ["ratings.csv"])
            #expect(try readFile(file) == [1])
        }
    }

    /// Files that only have the same names belong to others.
    @Test(arguments: [
        (["b": "x"], "it holds b but no a, so it is no pair's folder of this program; choose another folder"),
        (["a": "x"], "its a is none that this program wrote for a pair; choose another folder"),
        (["a": "{\"other\": 1}", "b": "x"], "its a is none that this program wrote for a pair; choose another folder"),
        (
            ["a": "{\"pair\": 1}", ".b.1.tmpx": "x"],
            "it holds .b.1.tmpx, which does not belong there; choose another folder"
        ),
    ])
    func namesAreNotEnough(files: [String: String], message: String) throws {
        try withTemporaryFolder { parent in
            let url = parent.appendingPathComponent("folder")
            try folder(url, files.mapValues { Array($0.utf8) })
            #expect(fileError { try write(url, ["a": Self.new]) }?.reason == message)
            #expect(try contents(of: url) == files.keys.sorted())
        }
    }

    @Test func aFolderInPlaceOfOurFileStays() throws {
        try withTemporaryFolder { parent in
            let url = parent.appendingPathComponent("folder")
            try folder(url, ["a": Self.old])
            try folder(url.appendingPathComponent("b"), ["precious": [1]])
            #expect(fileError { try write(url, ["a": Self.new]) }?.operation == .replace)
            #expect(try contents(of: url.appendingPathComponent("b")) == ["precious"])
        }
    }

    @Test func anEmptyFolderIsFilled() throws {
        try withTemporaryFolder { parent in
            let url = parent.appendingPathComponent("folder")
            try folder(url)
            try write(url, ["a": Self.new])
            #expect(try contents(of: url) == ["a"])
        }
    }

    /// A folder that may not be replaced: who comes first stays.
    @Test func oneOfManyNewFoldersTakesThePlace() async throws {
        let parent = FileManager.default.temporaryDirectory.appendingPathComponent("recblr-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: parent) }
        for round in 0..<100 {
            let url = parent.appendingPathComponent("\(round)")
            let writers = await withTaskGroup { group in
                for writer in 0..<4 as Range<UInt8> {
                    group.addTask {
                        // No folder of this kind is ever marked as one.
                        do { try write(url, ["a": [writer]]) } catch { return UInt8?.none }
                        return writer
                    }
                }
                return await group.reduce(into: [UInt8]()) { if let writer = $1 { $0.append(writer) } }
            }
            #expect(writers.count == 1)
            #expect(try readFile(url.appendingPathComponent("a")) == writers)
        }
    }

    @Test func linksAreFollowed() throws {
        try withTemporaryFolder { parent in
            let link = parent.appendingPathComponent("link")
            try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "real/folder")
            for bytes in [Self.old, Self.new] {
                try write(link, ["a": bytes])
                #expect(try readFile(parent.appendingPathComponent("real/folder/a")) == bytes)
            }
            #expect(try contents(of: parent) == ["link", "real"])
            #expect(try contents(of: parent.appendingPathComponent("real")) == ["folder"])
        }
    }

    /// What a kill leaves, in the folder and beside it, blocks nobody and goes with the next writer.
    @Test func leftoversGo() throws {
        try withTemporaryFolder { parent in
            let url = parent.appendingPathComponent("folder")
            try folder(url, ["a": Self.old, "b": [1], ".b.7.tmp": [2]])
            try folder(parent.appendingPathComponent(".folder.5.tmp"), ["a": Self.new, ".b.9.tmp": [2]])
            try folder(parent.appendingPathComponent(".folder.5.old"), ["a": Self.old])
            try folder(parent.appendingPathComponent(".folder.6.tmp"), ["thesis": [1]])
            try folder(parent.appendingPathComponent(".folders.5.tmp"), ["a": Self.old])
            try write(url, ["a": Self.new])
            #expect(try contents(of: url) == ["a"])
            #expect(try contents(of: parent) == [".folder.6.tmp", ".folders.5.tmp", "folder"])
        }
    }

    @Test func aFolderInUseIsNoLeftover() throws {
        try withTemporaryFolder { parent in
            let url = parent.appendingPathComponent("folder")
            try writeFolder(url, Self.kind, wrap: { $0 as any Error }) { folder in
                try writeFile(Self.old, to: folder.appendingPathComponent("a"))
                try write(url, ["a": Self.new])
            }
            #expect(try readFile(url.appendingPathComponent("a")) == Self.old, "the last one wins")
            #expect(try contents(of: parent) == ["folder"])
        }
    }

    /// Between the two renames of file systems that cannot swap folders, only the old one is there.
    @Test func whatAKillMovedAwayComesBack() throws {
        try withTemporaryFolder { parent in
            let (url, old) = (parent.appendingPathComponent("folder"), parent.appendingPathComponent(".folder.3.old"))
            func read() throws -> [UInt8] {
                try FolderReader.read(url, marker: "a", wrap: { $0 as any Error }) { folder in
                    try folder.file("a").copy()
                }
            }
            try folder(old, ["a": Self.old])
            #expect(try read() == Self.old)
            #expect(try contents(of: parent) == ["folder"])
            try FileManager.default.moveItem(at: url, to: old)
            _ = try FolderDestination(url, Self.kind)
            #expect(try contents(of: parent) == ["folder"])
        }
    }

    @Test func whatCannotWorkIsKnownBefore() throws {
        try withTemporaryFolder { parent in
            let long = parent.appendingPathComponent(String(repeating: "x", count: 245))
            #expect(fileError { _ = try FolderDestination(long, Self.kind) }?.reason == "File name too long")
            try writeFile([1], to: parent.appendingPathComponent("file"))
            let below = parent.appendingPathComponent("file/folder")
            #expect(fileError { _ = try FolderDestination(below, Self.kind) }?.reason == "Not a directory")
            let loop = parent.appendingPathComponent("loop")
            try FileManager.default.createSymbolicLink(atPath: loop.path, withDestinationPath: "loop")
            #expect(fileError { _ = try FolderDestination(loop, Self.kind) } != nil)
            _ = try FolderDestination(parent.appendingPathComponent("new/deep/folder"), Self.kind)
            #expect(try contents(of: parent) == ["file", "loop"], "looking leaves nothing")
        }
    }

    /// Readers of two files during hundreds of replacements: always a pair, never a missing file.
    @Test func readersSeeTheOldOrTheNew() async throws {
        let parent = FileManager.default.temporaryDirectory.appendingPathComponent("recblr-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: parent) }
        let url = parent.appendingPathComponent("folder")
        func pair(_ number: Int) -> [String: [UInt8]] {
            ["a": Array("{\"pair\": \(number)}".utf8), "b": Array("{\"pair\": \(number)}".utf8)]
        }
        try write(url, pair(0))
        let reading = Task.detached {
            for _ in 0..<1500 {
                try FolderReader.read(url, marker: "a", wrap: { $0 as any Error }) { folder in
                    let first = try folder.file("a").copy()
                    if try folder.file("b").copy() != first { throw Stop() }
                }
            }
        }
        for number in 1...300 { try write(url, pair(number)) }
        try await reading.value
        #expect(try contents(of: parent) == ["folder"])
    }
}

#if os(Linux)
    @Suite struct AppendedFileTests {
        /// A write without space is an error each time, and later writes may succeed.
        @Test func aFullDiskIsAnError() throws {
            var file = try AppendedFile(URL(fileURLWithPath: "/dev/full"), emptied: false)
            for _ in 0..<2 {
                do {
                    try file.append([1])
                    Issue.record("it was written")
                } catch { #expect(error.description == "/dev/full: cannot write: No space left on device") }
            }
        }
    }
#endif

@Suite struct FileLockTests {
    @Test func oneHolderAtATime() throws {
        try withTemporaryFolder { folder in
            guard case .held(let lock) = FileLock.attempt(folder.path) else { throw CocoaError(.fileLocking) }
            guard case .taken = FileLock.attempt(folder.path) else { throw CocoaError(.fileLocking) }
            withExtendedLifetime(lock) {}
        }
        try withTemporaryFolder { folder in
            for _ in 0..<2 {
                guard case .held = FileLock.attempt(folder.path) else { throw CocoaError(.fileLocking) }
            }
            guard case .impossible = FileLock.attempt(folder.path + "/none") else { throw CocoaError(.fileLocking) }
        }
    }

    /// Programs that this process starts have copies of its descriptors for a moment: the lock must not live on in them.
    @Test func aReleasedLockIsFreeWhileProgramsStart() async throws {
        let starter = Task.detached {
            while !Task.isCancelled {
                try Process.run(URL(fileURLWithPath: "/bin/true"), arguments: []).waitUntilExit()
            }
        }
        try withTemporaryFolder { folder in
            let lock = folder.appendingPathComponent("lock").path
            for round in 0..<100_000 {
                guard case .held = FileLock.attempt(lock, creating: true) else {
                    Issue.record("taken in round \(round)")
                    break
                }
            }
        }
        starter.cancel()
        _ = await starter.result
    }
}

@Suite struct SealedJSONTests {
    /// Any byte changed, any cut: no longer intact.
    @Test func everyByteCounts() {
        let text = Array("{\"a\" : 1, \"checksum\" : \"\(SealedJSON.placeholder)\", \"b\":[]}\n".utf8)
        let sealed = SealedJSON.seal(text)
        #expect(SealedJSON.isIntact(sealed) && !SealedJSON.isIntact(text))
        for i in sealed.indices {
            var damaged = sealed
            damaged[i] ^= 1
            #expect(!SealedJSON.isIntact(damaged))
            #expect(!SealedJSON.isIntact(Array(sealed[..<i])))
        }
        #expect(!SealedJSON.isIntact([]))
    }
}
