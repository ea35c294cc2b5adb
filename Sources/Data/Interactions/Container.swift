import FileSupport

/// A file format other than lines of text, recognised by its first bytes, and what can be done with it.
struct Container {
    /// "a zip archive"
    let name: String
    private let way: Way?

    /// How its content can be read; FILE stands for the file.
    private enum Way {
        /// A command line that writes lines of text to standard output.
        case shell(String)
        /// An expression in Python that is an Arrow table.
        case python(String)
    }

    /// Why `path` cannot be read.
    func error(path: String) -> DatasetError {
        switch way {
        case nil: .malformed(path: path, reason: "it is \(name), not an interaction log")
        case .shell(let command):
            .malformed(
                path: path, reason: "it is \(name)",
                remedies: [.convert(shell: command.replacing("FILE", with: shellWord(path)), to: .csv)])
        case .python(let table):
            .malformed(
                path: path, reason: "it is \(name)",
                remedies: [.readInPython(table: table.replacing("FILE", with: pythonText(path)))])
        }
    }

    /// Nil where the bytes may be text.
    init?(_ head: Bytes, path: String) {
        let found = Self.byMagic(head, path) ?? Self.byText(head)
        guard let found else { return nil }
        (name, way) = found
    }

    private typealias Found = (name: String, way: Way?)

    private static let magics: [(bytes: [UInt8], found: Found)] = [
        ([0x1F, 0x8B], ("gzip data that was packed twice", .shell("zcat FILE | zcat"))),
        ([0x1F, 0x9D], ("compressed data (.Z)", .shell("uncompress -c FILE"))),
        (Array("BZh".utf8), ("bzip2 data that was packed twice", .shell("bzcat FILE | bzcat"))),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], ("xz data", .shell("xzcat FILE"))),
        ([0x28, 0xB5, 0x2F, 0xFD], ("Zstandard data that was packed twice", .shell("zstdcat FILE | zstdcat"))),
        ([0x04, 0x22, 0x4D, 0x18], ("LZ4 data", .shell("lz4cat FILE"))),
        (Array("LZIP".utf8), ("lzip data", .shell("lzip -dc FILE"))),
        ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], ("a 7z archive", .shell("7z e -so FILE"))),
        (Array("Rar!".utf8), ("a RAR archive", .shell("unrar p -inul FILE"))),
        (Array("PAR1".utf8), ("a Parquet file", .python("pyarrow.parquet.read_table(FILE)"))),
        (Array("ARROW1".utf8), ("an Arrow IPC file", .python("pyarrow.feather.read_table(FILE)"))),
        (Array("FEA1".utf8), ("a Feather file", .python("pyarrow.feather.read_table(FILE)"))),
        ([0xFF, 0xFF, 0xFF, 0xFF], ("an Arrow IPC stream", .python("pyarrow.ipc.open_stream(FILE).read_all()"))),
        (Array("ORC".utf8), ("an ORC file", pandas("read_orc"))),
        ([0x4F, 0x62, 0x6A, 0x01], ("an Avro file", .shell("avro cat --format csv FILE"))),
        ([0x89, 0x48, 0x44, 0x46], ("an HDF5 file", pandas("read_hdf"))),
        ([0xD0, 0xCF, 0x11, 0xE0], ("an old Excel workbook", pandas("read_excel"))),
        (
            Array("SQLite format 3".utf8),
            ("an SQLite database", .shell("sqlite3 -header -csv FILE 'SELECT * FROM LOG'"))
        ),
        ([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59], ("a NumPy array", nil)),
        ([0x80, 0x02], ("a Python pickle", pandas("read_pickle"))),
        ([0x80, 0x03], ("a Python pickle", pandas("read_pickle"))),
        ([0x80, 0x04], ("a Python pickle", pandas("read_pickle"))),
        ([0x80, 0x05], ("a Python pickle", pandas("read_pickle"))),
        (Array("%PDF".utf8), ("a PDF document", nil)),
        ([0xFF, 0xFE, 0x00, 0x00], ("text in UTF-32", .shell("iconv -f UTF-32 -t UTF-8 FILE"))),
        ([0x00, 0x00, 0xFE, 0xFF], ("text in UTF-32", .shell("iconv -f UTF-32 -t UTF-8 FILE"))),
        ([0xFF, 0xFE], ("text in UTF-16", .shell("iconv -f UTF-16 -t UTF-8 FILE"))),
        ([0xFE, 0xFF], ("text in UTF-16", .shell("iconv -f UTF-16 -t UTF-8 FILE"))),
    ]

    private static func pandas(_ function: String) -> Way {
        .shell(
            #"python3 -c "import sys, pandas; pandas.\#(function)(sys.argv[1]).to_csv(sys.stdout, index=False)" FILE"#)
    }

    private static func byMagic(_ head: Bytes, _ path: String) -> Found? {
        if head.starts(with: Array("PK\u{3}\u{4}".utf8)) {
            let names = String(decoding: head.prefix(4096), as: UTF8.self)
            if names.contains("[Content_Types].xml") || path.lowercased().hasSuffix(".xlsx") {
                return ("an Excel workbook", pandas("read_excel"))
            }
            return ("a zip archive", .shell("unzip -p FILE"))
        }
        if head.count > 262, head[257..<262].elementsEqual(Array("ustar".utf8)) {
            return ("a tar archive", .shell("tar -xOf FILE"))
        }
        if let magic = magics.first(where: { head.starts(with: $0.bytes) }), !isHeader(head) { return magic.found }
        let text = String(decoding: head.prefix(64), as: UTF8.self).lowercased()
        if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") {
            return ("a web page (a download that went wrong?)", nil)
        }
        if text.hasPrefix("version https://git-lfs") {
            return ("a pointer of Git LFS", .shell("git lfs smudge < FILE"))
        }
        return nil
    }

    /// Whether a file that starts like a container starts with a header of names nevertheless: `ORCID,item`.
    private static func isHeader(_ head: Bytes) -> Bool {
        let line = head.prefix(256).prefix { $0 != 0x0A && $0 != 0x0D }
        return line.allSatisfy { $0 == 0x09 || (0x20..<0x7F).contains($0) }
            && line.contains { [0x09, 0x2C, 0x3B, 0x7C].contains($0) }
    }

    /// Text in another encoding, or with other line ends.
    private static func byText(_ head: Bytes) -> Found? {
        let sample = head.prefix(4096)
        let zeros = (0...1).map { half in sample.indices.filter { $0 % 2 == half && sample[$0] == 0 }.count }
        if zeros[0] + zeros[1] > 0 {
            if sample.count >= 4, max(zeros[0], zeros[1]) * 3 > sample.count, min(zeros[0], zeros[1]) == 0 {
                let name = zeros[0] > 0 ? "UTF-16BE" : "UTF-16LE"
                return ("text in UTF-16", .shell("iconv -f \(name) -t UTF-8 FILE"))
            }
            return nil
        }
        let returns = head.prefix(1 << 16).count(where: { $0 == 0x0D })
        if returns > 0, !head.contains(0x0A), head.count > 1, returns > 1 || head.last != 0x0D {
            return ("text whose lines end with CR alone", .shell("tr '\\r' '\\n' < FILE"))
        }
        return nil
    }
}

/// A file's name as one word of a shell's command line.
func shellWord(_ path: String) -> String {
    path == LogSource.standardInput.path ? "FILE" : "'" + path.replacing("'", with: "'\\''") + "'"
}

/// The same as a text in Python.
private func pythonText(_ path: String) -> String {
    guard path != LogSource.standardInput.path else { return "FILE" }
    return "'" + path.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
}
