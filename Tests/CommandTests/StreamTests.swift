import Foundation
import Testing

/// Standard input, output and error that are full, closed or without a reader.
@Suite struct StreamTests {
    private static func prepared() throws -> Workplace {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        for arguments in ["prepare log.csv -o data", "train data -m model --epochs 1 --hidden-size 4"] {
            let outcome = try run(arguments.split(separator: " ").map(String.init), in: place)
            try #require(outcome.status == 0, "\(arguments): \(outcome.error)")
        }
        return place
    }

    private static let printing = [
        "--help", "--version", "train --help", "devices", "inspect data", "inspect model --json",
        "recommend model --history i1", "recommend model --history i1 --json", "evaluate model data",
        "prepare log.csv -o data",
    ]

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
    func resultsThatDoNotFitAreAnError() throws {
        let place = try Self.prepared()
        for arguments in Self.printing {
            let outcome = try shell("recblr \(arguments) > /dev/full", in: place)
            #expect(outcome.status == 73, "\(arguments)")
            #expect(
                outcome.error.hasSuffix("recblr: standard output: cannot write: No space left on device\n"),
                "\(arguments): \(outcome.error)")
        }
    }

    @Test func closedOutputIsAnError() throws {
        let place = try Self.prepared()
        for arguments in Self.printing {
            let outcome = try shell("recblr \(arguments) >&-", in: place)
            #expect(outcome.status == 73, "\(arguments)")
            #expect(
                outcome.error.hasSuffix("recblr: standard output: cannot write: Bad file descriptor\n"),
                "\(arguments): \(outcome.error)")
        }
    }

    @Test(arguments: ["2>/dev/full", "2>&-", "<&- 2>&-", "2>&1 >/dev/null | true"])
    func messagesThatAreLostEndNothing(redirection: String) throws {
        let place = try Self.prepared()
        let outcome = try shell(
            "{ recblr train data -m again --epochs 2 --hidden-size 4; echo $? > status; } \(redirection)", in: place)
        #expect(String(decoding: try place.bytes("status"), as: UTF8.self) == "0\n", "\(outcome.error)")
        #expect(place.exists("again/model.safetensors"))
        for (arguments, status) in [("--dropout 7", 64), ("nonsense", 64), ("inspect none", 66)] {
            let outcome = try shell("{ recblr \(arguments); echo $? > status; } \(redirection)", in: place)
            #expect(String(decoding: try place.bytes("status"), as: UTF8.self) == "\(status)\n", "\(outcome.error)")
        }
    }

    @Test func aClosedDescriptorIsNeverADataFile() throws {
        let place = try Self.prepared()
        let outcome = try shell("recblr train data -m closed --epochs 2 --hidden-size 4 <&- >&- 2>&-", in: place)
        #expect(outcome.status == 73, "its table is lost")
        let open = try shell("recblr train data -m open --epochs 2 --hidden-size 4", in: place)
        #expect(open.status == 0)
        #expect(try place.bytes("closed/model.safetensors") == place.bytes("open/model.safetensors"))
        let log = String(decoding: try place.bytes("closed/training.jsonl"), as: UTF8.self)
        #expect(log.split(separator: "\n").count == 2)
    }

    @Test func aReaderThatGoesIsNoError() throws {
        let place = try Self.prepared()
        let outcome = try shell("{ recblr train --help; echo $? > status; } | true", in: place)
        #expect(outcome.error.isEmpty)
        // The pipe may have taken everything before its reader went.
        #expect(["0\n", "141\n"].contains(String(decoding: try place.bytes("status"), as: UTF8.self)))
    }

    @Test(arguments: [
        "recblr inspect \"$(printf 'caf\\351')\"", "mkdir \"$(printf 'caf\\351')\" && cd caf* && recblr devices",
    ])
    func namesThatAreNotTextAreRefused(line: String) throws {
        let outcome = try shell(line, in: try Workplace())
        #expect(outcome.status == 64 && outcome.error.contains("not UTF-8"), "\(outcome.error)")
    }
}
