import FileSupport
import Foundation
import Identifiers
import Interactions
import Tensors
import Testing

@Suite struct DatasetTests {
    private static let log = "user,item,ts\nu1,a,3\nu2,b,1\nu1,b,2\nu2,c,4\nu1,c,3\n"
    private static let files = ["dataset.json", "items.i32", "items.tsv", "starts.i64", "timestamps.i64", "users.tsv"]

    /// Prepares the log above in a temporary folder.
    private func withDataset(_ body: (URL) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("log.csv")
            try Data(Self.log.utf8).write(to: url)
            let output = folder.appendingPathComponent("dataset")
            _ = try InteractionLog.read(url).prepare(
                Filters(), titles: ["a": "The A"], source: "log.csv", to: output)
            try body(output)
        }
    }

    @Test func inMemory() {
        let dataset = Dataset(sequences: [[1, 2, 3], [], [3]], itemCount: 4, timestamps: [[1, 2, 2], [], [0]])
        #expect((dataset.userCount, dataset.itemCount, dataset.eventCount) == (3, 4, 4))
        #expect(dataset.sequence(ofUser: 0) == [1, 2, 3])
        #expect(dataset.sequence(ofUser: 0, 1..<3) == [2, 3])
        #expect(dataset.sequence(ofUser: 0, 3..<3) == [])
        #expect(dataset.sequence(ofUser: 1) == [])
        #expect(dataset.item(ofUser: 2, at: 0) == 3)
        #expect((0..<3).map(dataset.length) == [3, 0, 1])
        #expect(dataset.timestamps(ofUser: 0) == [1, 2, 2])
        #expect(dataset.hasTimestamps && dataset.summary.timestamps)
        #expect(dataset.summary.density == 4.0 / 12)
        #expect(Dataset(sequences: [], itemCount: 0).userCount == 0)
        #expect(Dataset(sequences: [[1]], itemCount: 1).timestamps(ofUser: 0) == nil)
    }

    @Test func aMisusedIndexStops() async {
        await #expect(processExitsWith: .failure) { _ = Dataset(sequences: [[1]], itemCount: 1).length(ofUser: 1) }
        await #expect(processExitsWith: .failure) {
            _ = Dataset(sequences: [[1], [1]], itemCount: 1).item(ofUser: 0, at: 1)
        }
        await #expect(processExitsWith: .failure) { _ = Dataset(sequences: [[2]], itemCount: 1) }
        await #expect(processExitsWith: .failure) {
            _ = Dataset(sequences: [[1]], itemCount: 1, timestamps: [[]])
        }
    }

    @Test func opensWhatWasPrepared() throws {
        try withDataset { folder in
            let dataset = try Dataset.open(folder)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == Self.files)
            #expect(dataset.users.map { Array($0.ids) } == ["u1", "u2"])
            #expect(dataset.items.map { Array($0.ids) } == ["a", "b", "c"])
            #expect(dataset.items?.title(at: 0) == "The A")
            #expect(dataset.sequence(ofUser: 0) == [2, 1, 3])
            #expect(dataset.sequence(ofUser: 1) == [2, 3])
            #expect(dataset.timestamps(ofUser: 0) == [2, 3, 3].map { $0 * 1_000_000_000 })
            let inMemory = Dataset(sequences: [[2, 1, 3], [2, 3]], itemCount: 3)
            #expect(inMemory.summary.fingerprint == dataset.summary.fingerprint)
        }
    }

    private func prepared(_ log: String, _ body: (Dataset, URL) throws -> Void) throws {
        try withTemporaryFolder { place in
            let (file, folder) = (place.appendingPathComponent("log.csv"), place.appendingPathComponent("dataset"))
            try writeFile(Array("user,item,time\n\(log)".utf8), to: file)
            _ = try InteractionLog.read(file).prepare(Filters(), source: "log.csv", to: folder)
            try body(try Dataset.open(folder), folder)
        }
    }

    /// Equal sequences at other times, or of other items, are other data. A record of an earlier version knows sequences alone.
    @Test func theMarkKnowsTimesAndIdentifiers() throws {
        let logs = ["1,a,10\n1,b,20\n", "1,a,10\n1,b,30\n", "1,a,10\n1,c,20\n"]
        var summaries: [DatasetSummary] = []
        for log in logs { try prepared(log) { data, _ in summaries.append(data.summary) } }
        #expect(Set(summaries.map(\.fingerprint)).count == 1 && Set(summaries.map(\.mark)).count == 3)
        for summary in summaries {
            #expect(summary.isNamed(by: summary.mark) && summary.isNamed(by: summary.fingerprint))
            #expect(summaries.count { $0.isNamed(by: summary.mark) } == 1)
        }
        // Users' identifiers change nothing that is learnt.
        try prepared("7,a,10\n7,b,20\n") { data, _ in #expect(data.summary.mark == summaries[0].mark) }
        func inMemory(_ times: [Int64]?) -> String {
            Dataset(sequences: [[1, 2]], itemCount: 2, timestamps: times.map { [$0] }).summary.mark
        }
        #expect(Set([inMemory(nil), inMemory([1, 2]), inMemory([1, 3])]).count == 3)
    }

    @Test func earlierVersionsWroteNoHashOfTimes() throws {
        try prepared("1,a,10\n1,b,20\n") { data, folder in
            let url = folder.appendingPathComponent("dataset.json")
            let lines = String(decoding: try readFile(url), as: UTF8.self).split(separator: "\n")
            let without = lines.filter { !$0.contains("\"contents\"") }
            #expect(without.count == lines.count - 1)
            try writeFile(SealedJSON.seal((without.joined(separator: "\n") + "\n").utf8), to: url)
            #expect(try Dataset.open(folder).summary == data.summary)
        }
    }

    /// What earlier versions wrote: times as doubles in the log's unit.
    @Test(
        arguments: [
            ([2, 3, 3, 1, 4], [2, 3, 3, 1, 4], 1_000_000_000),
            ([1.5, 2.25, 3, -0.5, 9.3e9], [1_500, 2_250, 3_000, -500, 9_300_000_000_000], 1_000),
            (
                [1e18, 2e18, 3e18, 0, 1],
                [1_000_000_000_000_000_000, 2_000_000_000_000_000_000, 3_000_000_000_000_000_000, 0, 1], 1
            ),
        ] as [([Double], [Int64], Int64)])
    func opensFormat1(_ doubles: [Double], _ expected: [Int64], _ factor: Int64) throws {
        try withDataset { folder in
            let mark = try Dataset.open(folder).summary.fingerprint
            try asFormat1(folder, doubles)
            let dataset = try Dataset.open(folder)
            #expect((0..<2).flatMap { dataset.timestamps(ofUser: $0) ?? [] } == expected.map { $0 * factor })
            #expect(dataset.summary.format == 1 && dataset.summary.fingerprint == mark)
        }
    }

    @Test func timesOfFormat1ThatAreNone() throws {
        for bad in [[1, .nan, 2, 1, 2], [1, 2, .infinity, 1, 2], [1, 2, 1e19, 1, 2]] as [[Double]] {
            try withDataset { folder in
                try asFormat1(folder, bad)
                #expect(
                    complaint { _ = try Dataset.open(folder) }
                        == "dataset/timestamps.f64: a time is no number of 64 bits; prepare the dataset anew")
            }
        }
    }

    private func asFormat1(_ folder: URL, _ times: [Double]) throws {
        let url = folder.appendingPathComponent("dataset.json")
        let json = String(decoding: try readFile(url), as: UTF8.self).replacing(
            "\"format\" : 2", with: "\"format\" : 1")
        try writeFile(Array(json.utf8), to: url)
        try FileManager.default.removeItem(at: folder.appendingPathComponent("timestamps.i64"))
        try writeFile(
            times.withUnsafeBytes { Array($0) }, to: folder.appendingPathComponent("timestamps.f64"))
    }

    /// The mapped files stay valid when the folder is replaced or removed.
    @Test func staysReadableAfterItsFolderIsGone() throws {
        try withDataset { folder in
            let dataset = try Dataset.open(folder)
            try FileManager.default.removeItem(at: folder)
            #expect(dataset.sequence(ofUser: 0) == [2, 1, 3])
        }
    }

    /// What opening says when a file was changed, by somebody who made its checksum fit where `crafted`.
    private func damage(_ name: String, crafted: Bool = true, _ change: (inout [UInt8]) -> Void) throws -> String? {
        var result: String?
        try withDataset { folder in
            let url = folder.appendingPathComponent(name)
            var bytes = try readFile(url)
            change(&bytes)
            try writeFile(crafted && name == "dataset.json" ? SealedJSON.seal(bytes) : bytes, to: url)
            if crafted, name != "dataset.json" { try makeChecksumsFit(folder) }
            result = complaint { _ = try Dataset.open(folder) }
        }
        return result
    }

    private func makeChecksumsFit(_ folder: URL) throws {
        let url = folder.appendingPathComponent("dataset.json")
        var object = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as! [String: Any]
        try FileManager.default.removeItem(at: url)
        let checksums = try JSONEncoder().encode(FileChecksums(ofFilesIn: folder))
        object["files"] = try JSONSerialization.jsonObject(with: checksums)
        try writeFile(SealedJSON.seal(JSONSerialization.data(withJSONObject: object)), to: url)
    }

    @Test(arguments: files.filter { $0 != "dataset.json" }) func whatWasNotWrittenIsSaid(
        _ name: String
    ) throws {
        let message = try damage(name, crafted: false) { $0[$0.count - 2] ^= 1 }
        #expect(message?.hasPrefix("dataset/\(name): cannot use: its checksum is ") == true)
        let cut = try damage(name, crafted: false) { $0.removeLast() }
        #expect(cut?.hasSuffix("were written: it is damaged or from another folder") == true)
    }

    @Test func theSummaryIsChecked() throws {
        let message = try damage("dataset.json", crafted: false) { bytes in
            bytes = Array(
                String(decoding: bytes, as: UTF8.self).replacing("log.csv", with: "log.tsv").utf8)
        }
        #expect(
            message == "dataset/dataset.json: it is not as it was written: its checksum does not fit")
        #expect(
            try edit("dataset.json", "\"files\"", "\"flies\"")
                == "dataset/dataset.json: it is not as it was written: its checksum does not fit")
        for count in ["minimumUserEvents\" : 1", "droppedByCore\" : 0"] {
            let negative = count.replacing(": ", with: ": -1")
            #expect(
                try edit("dataset.json", count, negative) == "dataset/dataset.json: a count is out of range"
            )
        }
    }

    private func edit(_ name: String, _ old: String, _ new: String) throws -> String? {
        try damage(name) { $0 = Array(String(decoding: $0, as: UTF8.self).replacing(old, with: new).utf8) }
    }

    @Test func wordingOfDamage() throws {
        #expect(try damage("items.i32") { $0.removeLast() } == "dataset/items.i32: 19 bytes, expected 20")
        #expect(try damage("items.i32") { $0 = [] } == "dataset/items.i32: 0 bytes, expected 20")
        #expect(try damage("items.i32") { $0[0] = 4 } == "dataset/items.i32: an item lies outside 1 ... 3")
        #expect(try damage("items.i32") { $0[0] = 0 } == "dataset/items.i32: an item lies outside 1 ... 3")
        let mark = try damage("items.i32") { $0[0] = 1 }
        #expect(mark?.hasPrefix("dataset: the data does not match its fingerprint ") == true)
        #expect(try damage("starts.i64") { $0[8] = 6 } == "dataset/starts.i64: starts must rise from 0 to 5")
        #expect(try damage("starts.i64") { $0[15] = 0xFF } == "dataset/starts.i64: starts must rise from 0 to 5")
        #expect(try damage("starts.i64") { $0[0] = 1 } == "dataset/starts.i64: starts must rise from 0 to 5")
        let times = "dataset/timestamps.i64: the times of a user must never fall"
        #expect(try damage("timestamps.i64") { $0[7] = 0x50 } == times)
        #expect(try edit("users.tsv", "u2\t\n", "") == "dataset/users.tsv: 1 ids, expected 2")
        #expect(
            try edit("items.tsv", "b\t\n", "a\t\n")
                == "dataset/items.tsv: cannot read line 3: an id that an earlier line has")
        #expect(
            try edit("dataset.json", "{", "") == "dataset/dataset.json: expected the JSON of a prepared dataset")
        #expect(
            try edit("dataset.json", "\"format\" : 2", "\"format\" : 3")?.hasSuffix(
                "format 3; this program reads formats 1 and 2") == true)
        for count in ["-1", "0", "9223372036854775807", "2305843009213693952"] {
            #expect(
                try edit("dataset.json", "\"events\" : 5", "\"events\" : \(count)")?.hasPrefix("dataset/") == true)
            #expect(try edit("dataset.json", "\"users\" : 2", "\"users\" : \(count)")?.hasPrefix("dataset/") == true)
        }
    }

    @Test(arguments: files) func aMissingFile(_ name: String) throws {
        try withDataset { folder in
            try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
            #expect(
                complaint { _ = try Dataset.open(folder) } == "dataset/\(name): cannot open: No such file or directory")
        }
    }

    /// Any one byte changed, any file cut short: an error, or a dataset that can be read to its end.
    @Test(arguments: files) func anyDamageIsAnErrorOrHarmless(_ name: String) throws {
        try withDataset { folder in
            let url = folder.appendingPathComponent(name)
            let good = try readFile(url)
            var (refused, tried) = (0, 0)
            var random = SeededGenerator(seed: 8)
            for i in good.indices {
                for value in [good[i] ^ 1, 0xFF, UInt8.random(in: 0...255, using: &random)] where value != good[i] {
                    tried += 1
                    var bad = good
                    bad[i] = value
                    try Data(bad).write(to: url)
                    if complaint({ try walk(try Dataset.open(folder)) }) != nil { refused += 1 }
                }
                try Data(good[0..<i]).write(to: url)
                let cut = complaint { try walk(try Dataset.open(folder)) }
                #expect(cut != nil, "cut to \(i) bytes")
            }
            #expect(refused == tried, "checksums cover every byte")
        }
    }

    private func walk(_ dataset: Dataset) throws {
        for user in 0..<dataset.userCount {
            let items = dataset.sequence(ofUser: user)
            guard items.allSatisfy({ (0..<dataset.itemCount).contains($0.row) }) else {
                throw CocoaError(.coderInvalidValue)
            }
            guard dataset.timestamps(ofUser: user).map({ $0 == $0.sorted() }) != false else {
                throw CocoaError(.coderInvalidValue)
            }
        }
        _ = Split.leaveOneOut(dataset)
        if dataset.hasTimestamps { _ = try? Split.globalTime(dataset, validationFraction: 0.2, testFraction: 0.2) }
    }
}
