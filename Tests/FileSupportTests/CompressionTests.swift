import FileSupport
import Foundation
import Tensors
import Testing

/// bzip2 and Zstandard data, packed by the system's libraries.
@Suite struct CompressionTests {
    /// Packs bytes as one member, or frame.
    enum Packer: String, CaseIterable {
        case bzip2, zstandard

        func pack(_ bytes: [UInt8]) throws -> [UInt8] {
            var packed = [UInt8](repeating: 0, count: bytes.count + bytes.count / 50 + 1000)
            switch self {
            case .bzip2:
                typealias Pack =
                    @convention(c) (
                        UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<UInt32>, UnsafePointer<UInt8>?, UInt32, Int32,
                        Int32, Int32
                    ) -> Int32
                let pack = try function("libbz2.so.1.0", "BZ2_bzBuffToBuffCompress", as: Pack.self)
                var count = UInt32(packed.count)
                try #require(pack(&packed, &count, bytes, UInt32(bytes.count), 9, 0, 0) == 0)
                return Array(packed.prefix(Int(count)))
            case .zstandard:
                typealias Create = @convention(c) () -> OpaquePointer
                typealias Set = @convention(c) (OpaquePointer, Int32, Int32) -> Int
                typealias Pack =
                    @convention(c) (OpaquePointer, UnsafeMutablePointer<UInt8>, Int, UnsafePointer<UInt8>?, Int) -> Int
                typealias Free = @convention(c) (OpaquePointer) -> Int
                let context = try function("libzstd.so.1", "ZSTD_createCCtx", as: Create.self)()
                defer { _ = try? function("libzstd.so.1", "ZSTD_freeCCtx", as: Free.self)(context) }
                let checksum: Int32 = 201
                _ = try function("libzstd.so.1", "ZSTD_CCtx_setParameter", as: Set.self)(context, checksum, 1)
                let count = try function("libzstd.so.1", "ZSTD_compress2", as: Pack.self)(
                    context, &packed, packed.count, bytes, bytes.count)
                return Array(packed.prefix(count))
            }
        }

        private func function<Function>(_ library: String, _ name: String, as type: Function.Type) throws -> Function {
            let handle = try #require(dlopen(library, RTLD_NOW), "Debian's package manager needs \(library)")
            return unsafeBitCast(try #require(dlsym(handle, name)), to: type)
        }

        /// What messages call it.
        var name: String { self == .bzip2 ? "bzip2" : "Zstandard" }
    }

    private static func text(_ lines: Int) -> [UInt8] {
        var random = SeededGenerator(seed: 5)
        return [UInt8]((0..<lines).map { "\($0),\(UInt32.random(in: 0...9999, using: &random)),é\n" }.joined().utf8)
    }

    @Test(arguments: Packer.allCases, [0, 1, 2, 1000, 300_000]) func anyLength(_ packer: Packer, _ count: Int) throws {
        let text = Self.text(count)
        let expected = try lines(of: text)
        #expect(try lines(of: packer.pack(text)) == expected)
    }

    /// Long runs: much text of few bytes, so that output waits although all input is used.
    @Test(arguments: Packer.allCases) func longRuns(_ packer: Packer) throws {
        let text = [UInt8](repeating: 0x61, count: 5 << 20) + [0x0A] + [UInt8](repeating: 0x62, count: 3 << 20)
        #expect(try lines(of: packer.pack(text)).map(\.count) == [5 << 20, 3 << 20])
    }

    @Test(arguments: Packer.allCases) func membersOneAfterTheOther(_ packer: Packer) throws {
        let (one, two) = (try packer.pack(Array("a\nb".utf8)), try packer.pack(Array("c\nd\n".utf8)))
        #expect(try lines(of: one + two).count == 3)
        #expect(try lines(of: one + packer.pack([]) + two + [UInt8](repeating: 0, count: 600_000)).count == 3)
        for rest in [[0x63], Array("BZ".utf8), [0, 0x63], try gzipped([0x61])] as [[UInt8]] {
            #expect(
                fileError { _ = try lines(of: one + rest) }?.reason
                    == "behind the end of its \(packer.name) data, at byte \(one.count), there is something else")
        }
    }

    /// As pzstd and seekable archives have them.
    @Test func skippableFrames() throws {
        let skipped: [UInt8] = [0x5E, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3]
        let frame = try Packer.zstandard.pack(Array("a\nb\n".utf8))
        #expect(try lines(of: skipped + frame + skipped + frame + skipped).count == 4)
        #expect(
            fileError { _ = try lines(of: Array(skipped.dropLast())) }?.reason
                == "damaged Zstandard data (unexpected end of file)")
    }

    @Test(arguments: Packer.allCases) func everyCut(_ packer: Packer) throws {
        let packed = try packer.pack(Self.text(40))
        for end in 4..<packed.count {
            let error = fileError { _ = try lines(of: Array(packed[..<end]), named: "log.csv") }
            #expect(error?.reason == "damaged \(packer.name) data (unexpected end of file)", "byte \(end)")
        }
    }

    /// Both have a checksum: a damaged byte is an error, or changes nothing, or the file does not begin like compressed data any more.
    @Test(arguments: Packer.allCases) func everyDamagedByte(_ packer: Packer) throws {
        let text = Self.text(40)
        let (packed, expected) = (try packer.pack(text), try lines(of: text))
        for i in 4..<packed.count {
            var damaged = packed
            damaged[i] ^= 0x55
            do {
                let found = try lines(of: damaged)
                #expect(found == expected || packer == .bzip2 && i < 10, "byte \(i)")
            } catch { #expect((error as? FileError)?.operation == .read) }
        }
    }

    /// A frame that wants a window of 2 GB.
    @Test func memoryIsBounded() throws {
        let frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0, 0xA8, 1, 0, 0]
        let reason = fileError { _ = try lines(of: frame) }?.reason ?? ""
        #expect(reason.hasPrefix("its Zstandard data needs more than 128 MB of memory"), "\(reason)")
    }

    @Test func textThatBeginsLikeBzip2() throws {
        for text in ["BZh", "BZh9,item,ts\n", "BZh91AY,item\n", "BZhub,item\n"] {
            #expect(try lines(of: [UInt8](text.utf8)).count == 1, "\(text)")
        }
    }

    @Test func emptyFilesWithSuchNames() {
        for (name, what) in [("log.csv.zst", "Zstandard"), ("log.BZ2", "bzip2"), ("log.gz", "gzip")] {
            #expect(
                fileError { _ = try lines(of: [], named: name) }?.reason == "damaged \(what) data (the file is empty)")
        }
    }
}
