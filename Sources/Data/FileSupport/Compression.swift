/// How a file may be compressed, as its first bytes tell.
enum Compression: CaseIterable {
    case gzip, bzip2, zstandard

    /// How many bytes have to be known.
    static let headSize = 10

    /// Nil where no compressed data begins like these bytes.
    init?(beginning bytes: UnsafeRawBufferPointer) {
        guard let found = Self.allCases.first(where: { $0.begins(bytes) }) else { return nil }
        self = found
    }

    /// What people call it.
    var name: String {
        switch self {
        case .gzip: "gzip"
        case .bzip2: "bzip2"
        case .zstandard: "Zstandard"
        }
    }

    /// How names of such files end.
    private var ending: String {
        switch self {
        case .gzip: ".gz"
        case .bzip2: ".bz2"
        case .zstandard: ".zst"
        }
    }

    /// What a file's name says; nil where it says nothing.
    init?(fileName: String) {
        guard let found = Self.allCases.first(where: { fileName.lowercased().hasSuffix($0.ending) }) else { return nil }
        self = found
    }

    /// Whether a member, or a frame, begins so.
    func begins(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch self {
        case .gzip: return bytes.starts(with: [0x1F, 0x8B])
        case .bzip2:
            // BZh, the size of blocks, and the mark of the first block or, of nothing, of the end; as much of it as is there.
            guard bytes.count > 3, bytes.starts(with: Array("BZh".utf8)), (0x31...0x39).contains(bytes[3]) else {
                return false
            }
            let mark = bytes.dropFirst(4).prefix(6)
            return [[0x31, 0x41, 0x59, 0x26, 0x53, 0x59], [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]].contains {
                mark.elementsEqual($0.prefix(mark.count))
            }
        case .zstandard:
            // Or a frame to be skipped, with which parallel compressors begin.
            guard bytes.count > 3 else { return false }
            return bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD])
                || bytes[0] & 0xF0 == 0x50 && bytes.dropFirst().starts(with: [0x2A, 0x4D, 0x18])
        }
    }

    /// A new decompressor, before the first member.
    func makeUnpacker() throws(UnpackProblem) -> any Unpacker {
        switch self {
        case .gzip: GzipUnpacker()
        case .bzip2: try Bzip2Unpacker()
        case .zstandard: try ZstandardUnpacker()
        }
    }
}

/// Decompresses members, or frames, one after the other, in bounded memory.
protocol Unpacker: AnyObject {
    /// Begins with a member.
    func begin() throws(UnpackProblem)
    /// Decompresses some of `input` into `output`, which is not empty: how many bytes were used and made, and whether the member has
    /// ended. Neither used nor made means that more input is needed.
    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(UnpackProblem) -> (used: Int, made: Int, hasEnded: Bool)
}

/// Why data could not be decompressed.
enum UnpackProblem: Error {
    /// It is damaged: how that shows.
    case damaged(String)
    /// It cannot be done on this machine.
    case unavailable(String)
}
