import Foundation
import Interactions
import Testing

/// Files that are no text of lines say what they are, and how their content can be fed.
@Suite struct ContainerTests {
    @Test(arguments: [
        (
            [0x50, 0x4B, 3, 4, 20, 0], "log.zip", "a zip archive",
            "unzip -p 'log.zip'"
        ),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 0], "log.xz", "xz data", "xzcat 'log.xz'"),
        (Array("PK\u{3}\u{4}..[Content_Types].xml".utf8), "log", "an Excel workbook", "pandas.read_excel"),
        ([0xFF, 0xFE, 0x75, 0, 0x2C, 0], "log.csv", "text in UTF-16", "iconv -f UTF-16 -t UTF-8 'log.csv'"),
        ([0x75, 0, 0x2C, 0, 0x69, 0, 0x0A, 0], "log.csv", "text in UTF-16", "iconv -f UTF-16LE -t UTF-8 'log.csv'"),
        ([0, 0x75, 0, 0x2C, 0, 0x69, 0, 0x0A], "log.csv", "text in UTF-16", "iconv -f UTF-16BE -t UTF-8 'log.csv'"),
        (
            Array("user,item,ts\r1,2,3\r".utf8), "log.csv", "text whose lines end with CR alone",
            "tr '\\r' '\\n' < 'log.csv'"
        ),
        (Array("SQLite format 3\0".utf8), "log.db", "an SQLite database", "sqlite3 -header -csv 'log.db'"),
    ])
    func areNamed(_ bytes: [UInt8], _ name: String, _ what: String, _ command: String) {
        let message = complaint { _ = try prepare(bytes, named: name) } ?? ""
        #expect(message == "\(name): it is \(what)")
        guard case .convert(let shell, .csv)? = remedies({ _ = try prepare(bytes, named: name) }).first else {
            Issue.record("\(name) cannot be converted")
            return
        }
        #expect(shell.replacing(/\/[^ ,:']*recblr-[-0-9A-F]{36}\//, with: "").contains(command), "\(shell)")
    }

    @Test(arguments: [
        (Array("PAR1\u{15}\0".utf8), "it's.parquet", "a Parquet file", "pyarrow.parquet.read_table('it\\'s.parquet')"),
        (Array("ARROW1\0\0".utf8), "log.arrow", "an Arrow IPC file", "pyarrow.feather.read_table('log.arrow')"),
        (Array("FEA1".utf8), "log", "a Feather file", "pyarrow.feather.read_table('log')"),
        (
            [255, 255, 255, 255, 16, 0, 0, 0], "log.arrows", "an Arrow IPC stream",
            "pyarrow.ipc.open_stream('log.arrows').read_all()"
        ),
    ])
    func tablesAreForThePythonPackage(_ bytes: [UInt8], _ name: String, _ what: String, _ table: String) throws {
        for bytes in [bytes, try gzipped(bytes)] {
            #expect(complaint { _ = try prepare(bytes, named: name) } == "\(name): it is \(what)")
            guard case .readInPython(let found)? = remedies({ _ = try prepare(bytes, named: name) }).first else {
                Issue.record("\(name) has no way")
                continue
            }
            #expect(found.replacing(/'\/.*-[-0-9A-F]{36}\//, with: "'") == table, "\(found)")
        }
    }

    /// The same three events, packed by bzip2 and zstd.
    @Test(arguments: [
        ("bz2", "QlpoOTFBWSZTWSluc0AAAA9ZgAAQAAQ4ADoiHgAgADFMAADU0zSGnqaJ4M62QUqoMzAe7lB7uJ+LuSKcKEgUtzmgAA=="),
        ("zst", "KLUv/SQf+QAAdXNlcixpdGVtLHRzCjEsYSwxCjEsYiwyCjIsYywzCpiXCXk="),
    ])
    func compressedLogs(_ ending: String, _ base64: String) throws {
        let bytes = [UInt8](try #require(Data(base64Encoded: base64)))
        for name in ["log.csv.\(ending)", "log.\(ending)", "log"] {
            #expect(try prepare(bytes, named: name).histories == [["a", "b"], ["c"]])
        }
        #expect(
            complaint { _ = try prepare(Array(bytes.dropLast(3)), named: "log.csv.\(ending)") }?
                .hasSuffix("data (unexpected end of file)") == true)
        #expect(
            complaint { _ = try prepare([], named: "log.csv.\(ending)") }?.hasSuffix("data (the file is empty)") == true
        )
        let twice = complaint { _ = try prepare(gzipped(bytes), named: "log.csv.gz") }
        #expect(twice?.hasSuffix("data that was packed twice") == true, "\(twice ?? "")")
    }

    @Test func archivesInsideGzip() throws {
        var tar = [UInt8](repeating: 0, count: 600)
        tar.replaceSubrange(257..<262, with: Array("ustar".utf8))
        #expect(
            complaint { _ = try prepare(gzipped(tar), named: "log.csv.gz") }?.contains("it is a tar archive") == true)
        let twice = try gzipped(gzipped(Array("user,item,ts\n1,2,3\n".utf8)))
        #expect(complaint { _ = try prepare(twice, named: "log.csv.gz") }?.contains("packed twice") == true)
    }

    @Test func aPageInsteadOfTheData() {
        let message = complaint { _ = try prepare("<!DOCTYPE html>\n<html>\n", named: "log.csv") }
        #expect(message == "log.csv: it is a web page (a download that went wrong?), not an interaction log")
    }

    @Test func headersThatBeginLikeContainers() throws {
        #expect(try prepare("ORCID,user,item,ts\nx,1,a,2\n").histories == [["a"]])
    }

    @Test func jsonThatIsNotOneObjectALine() {
        let array = complaint { _ = try prepare("[{\"user\":1}]\n", named: "log.json") } ?? ""
        #expect(array.hasSuffix("it is one JSON array, not an object a line"))
        let pretty = complaint { _ = try prepare("{\n  \"user\": 1\n}\n", named: "log.json") } ?? ""
        #expect(pretty.contains("every object must stand in a line of its own"))
    }

    /// Values that are not read may be anything, as long as their end is clear.
    @Test func unreadValuesOfJSON() throws {
        for value in [
            "NaN", "-Infinity", "1e999", "01", "\"\\ud800\"", "\"\\x\"", "\"a\tb\"", "+1", "None", "[1,{]}", "1.2.3",
        ] {
            let text = "{\"user\":1,\"x\":\(value),\"item\":2,\"ts\":3}\n"
            #expect(try prepare(text, named: "log.json").histories == [["2"]], "\(value)")
        }
    }
}
