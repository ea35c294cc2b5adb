import Foundation
import Testing

/// Limits of the process: a sentence or work, never a signal and never for ever.
@Suite struct LimitTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var limit: String
        var command: String
        var status: Int32
        var error: String = ""
        var testDescription: String { "\(limit); recblr \(command)" }
    }

    static let cases = [
        Case(limit: "ulimit -n 16", command: "devices", status: 71, error: "fewer than 32 files may be open at once"),
        Case(limit: "ulimit -s 100", command: "devices", status: 71, error: "the stack may have less than 256 KiB"),
        Case(limit: "ulimit -s 256", command: "train data -m model --epochs 1 --hidden-size 8", status: 0),
        Case(
            limit: "ulimit -v 400000", command: "train data -m model --epochs 1 --hidden-size 8 --threads 16",
            status: 71,
            error: "computing on 16 threads takes"),
        Case(limit: "ulimit -d 60000", command: "evaluate model data", status: 71, error: "more (ulimit -d)"),
        Case(
            limit: "ulimit -v 900000", command: "train data -m model --epochs 1 --hidden-size 8 --threads 2", status: 0),
        // A processor more would once have meant a thread more that waits for memory for ever.
        Case(limit: "ulimit -v 250000", command: "inspect data", status: 0),
        Case(limit: "ulimit -d 50000", command: "inspect data", status: 0),
        Case(limit: "unset $(env | cut -d = -f 1); ulimit -v 250000", command: "--version", status: 0),
    ]

    #if os(Linux)
        @Test(arguments: cases) func aLimit(_ each: Case) throws {
            let place = try Workplace()
            try place.write(walks(), "log.csv")
            try #require(try run(["prepare", "log.csv", "-o", "data"], in: place).status == 0)
            let training = ["train", "data", "-m", "model", "--epochs", "1", "--hidden-size", "4"]
            try #require(try run(training, in: place).status == 0)
            let outcome = try shell("\(each.limit); exec \"$0\" \(each.command)", in: place)
            #expect(outcome.status == each.status, "\(outcome.error)")
            #expect(each.error.isEmpty || outcome.error.contains(each.error), "\(outcome.error)")
        }

        @Test func theEnvironmentIsAsItWas() throws {
            let place = try Workplace()
            let plain = try shell("exec \"$0\" devices", in: place)
            let asked = try shell("OPENBLAS_NUM_THREADS=3 OMP_NUM_THREADS=2 exec \"$0\" devices", in: place)
            #expect(plain.status == 0 && plain.output == asked.output)
        }
    #endif
}
