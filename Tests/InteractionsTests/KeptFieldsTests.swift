import FileSupport
import Foundation
import Identifiers
import Testing

@testable import Interactions

struct KeptFieldsTests {
    /// Long and short fields and none, most of them in the temporary file, come back beside the events they came with.
    @Test func fieldsStayWithTheirEvents() throws {
        let place = FileManager.default.temporaryDirectory.appendingPathComponent(
            "kept-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        let ids = (0..<3000).map { $0 % 7 == 3 ? "" : String(repeating: "é", count: $0 % 11 == 5 ? 2000 : 1) + "\($0)" }
        var lines = ids.indices.map { "u\($0 % 5),i\($0),\(1_700_000_000 + $0),t\($0 % 3),\(ids[$0])" }
        lines.insert("u1,bad", at: 1500)
        let file = place.appendingPathComponent("log.csv")
        try Data("user,item,time,type,id\n\(lines.joined(separator: "\n"))\n".utf8).write(to: file)
        var options = ReadOptions()
        (options.columns.type, options.columns.eventID) = ("type", "id")
        options.skipsBadLines = true
        options.temporaryFolder = place
        options.memory.reading = 64
        let log = try InteractionLog.read(file, options)
        var (types, found, items): ([String?], [String], [String]) = ([], [], [])
        try log.forEach { event in
            types.append(event.type)
            found.append(event.eventID?.text ?? "")
            items.append(event.item.text)
        }
        #expect(log.report.skippedLines == 1 && items == ids.indices.map { "i\($0)" })
        #expect(found == ids && types == ids.indices.map { "t\($0 % 3)" })
    }

    @Test func aTypeMustBeThere() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(
            "kept-\(UInt64.random(in: 0 ... .max)).csv")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("user,item,time,type\nu,i,1700000000,\n".utf8).write(to: file)
        var options = ReadOptions()
        options.columns.type = "type"
        var problem = ""
        do { _ = try InteractionLog.read(file, options).count } catch { problem = error.description }
        #expect(problem.contains("line 2: the type is empty"))
    }
}
