import Foundation
import Identifiers
import Testing

@testable import RecBLRCommand

/// Models with time, from log to answer.
@Suite struct TimeTests {
    private let training = "train data -m model --epochs 2 --hidden-size 8 --threads 2 --time"

    /// A log whose gaps are from seconds to weeks.
    private func timedLog() -> String {
        var lines = ["user,item,time"]
        for user in 0..<40 {
            var time = 1_700_000_000 + user
            for event in 0..<(8 + user % 5) {
                time += [5, 900, 40_000, 300_000, 3_000_000][(user + event * event) % 5]
                lines.append("u\(user),i\((user * 7 + event * 3) % 20),\(time)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func prepared(_ log: String) throws -> Workplace {
        let place = try Workplace()
        try place.write(log, "log.csv")
        try #require(try command("prepare log.csv -o data", in: place).status == 0)
        return place
    }

    private func command(_ line: String, in place: Workplace) throws -> Outcome {
        try run(line.split(separator: " ").map(String.init), in: place)
    }

    private struct Report: Decodable {
        struct Slice: Decodable {
            struct Metrics: Decodable { struct Setting: Decodable { var cases: Int }; var unmasked: Setting }
            var gap: String
            var metrics: Metrics
        }
        var name: String
        var gaps: [Slice]?
    }

    @Test func trainedInspectedEvaluatedAndAsked() throws {
        let place = try prepared(timedLog())
        let trained = try command(training, in: place)
        #expect(trained.status == 0, "\(trained.error)")
        let rows = ["RecBLR, past times only", "RecBLR, with the request's time"]
        for row in rows { #expect(trained.output.contains(row), "\(trained.output)") }
        let inspected = try command("inspect model --verify", in: place)
        #expect(inspected.output.contains("D 8, L 2, E 2, K 4, repeat-aware head, time"), "\(inspected.output)")
        #expect(inspected.output.contains("\nState     \(4 * (2 * 4 * 16 + 8 + 2)) bytes per user\n"))

        let evaluated = try command("evaluate model data --output metrics.json", in: place)
        #expect(evaluated.status == 0, "\(evaluated.error)")
        for row in rows { #expect(evaluated.output.contains("\(row): < 1 week"), "\(evaluated.output)") }
        let json = try command("evaluate model data --json", in: place)
        #expect(try place.bytes("metrics.json") == Data(json.output.utf8))
        let inside = try command("evaluate model data --output data/metrics.json", in: place)
        #expect(inside.status == 64 && inside.error.contains("nothing but the files of its dataset"), "\(inside.error)")
        let reports = try JSONDecoder().decode([Report].self, from: Data(json.output.utf8))
        #expect(reports.suffix(2).map(\.name) == rows)
        for report in reports {
            let gaps = try #require(report.gaps)
            #expect(gaps.map(\.gap) == ["< 1 min", "< 1 h", "< 1 day", "< 1 week", "longer"])
            #expect(gaps.reduce(0) { $0 + $1.metrics.unmasked.cases } == 40)
        }

        let ask = "recommend model --data data --user u3 -k 3 --json --explain"
        var answers: [String] = []
        for at in ["", " --at 2026-05-01T12:00:00Z", " --at 2024-05-01T12:00:00Z", " --at now"] {
            let answer = try command(ask + at, in: place)
            #expect(answer.status == 0, "\(answer.error)")
            answers.append(answer.output)
        }
        #expect(Set(answers[..<3]).count == 3, "time matters")
        #expect(try command(ask + " --at 1777636800", in: place).output == answers[1])
        #expect(try command(ask + " --at 2026-05-01T14:00:00.000+02:00", in: place).output == answers[1])
        for early in ["--user u3 --at 2020-01-01T00:00:00Z", "--all-users --at 2023-11-14T22:13:25.5Z"] {
            let refused = try command("recommend model --data data \(early)", in: place)
            #expect(refused.status == 64 && refused.output.isEmpty, "\(refused.output)")
            #expect(refused.error.contains("Z: it lies before the last event of user u"), "\(refused.error)")
        }
        let wrong = try command(ask + " --at yesterday", in: place)
        #expect(wrong.status == 64 && wrong.error.contains("--at yesterday: expected now, a time such as"))
    }

    private struct Compared: Decodable {
        struct Metric: Decodable { var difference: Double }
        struct Setting: Decodable { var hr: Metric, ndcg: Metric }
        struct Group: Decodable { var unmasked: Setting }
        struct Comparison: Decodable { var all: Group }
        struct Ranks: Decodable { struct Cut: Decodable { var ndcg: Double }; var at10: Cut }
        struct Settings: Decodable { var unmasked: Ranks }
        struct Row: Decodable { var name: String, all: Settings }
        var reports: [Row], comparison: Comparison, comparisonAtRequest: Comparison?
    }

    /// Each of the two rows is compared, and said which it is.
    @Test func comparedWithAModelWithoutTime() throws {
        let place = try prepared(timedLog())
        try #require(try command(training, in: place).status == 0)
        let plain = training.replacing("-m model", with: "-m plain").replacing(" --time", with: "")
        try #require(try command(plain, in: place).status == 0)
        let text = try command("evaluate plain model data", in: place)
        #expect(text.status == 0, "\(text.error)")
        for part in [
            "\nPast times only:\n", "\nWith the request's time, which A does not know:\n", "B, past times only, unm",
        ] {
            #expect(text.output.contains(part), "\(text.output)")
        }
        let json = try command("evaluate plain model data --json", in: place)
        let found = try JSONDecoder().decode(Compared.self, from: Data(json.output.utf8))
        let rows = found.reports.suffix(3)
        #expect(rows.map(\.name) == ["A", "B, past times only", "B, with the request's time"])
        let values = rows.map(\.all.unmasked.at10.ndcg)
        #expect(abs(found.comparison.all.unmasked.ndcg.difference - (values[1] - values[0])) < 1e-12)
        let asked = try #require(found.comparisonAtRequest)
        #expect(abs(asked.all.unmasked.ndcg.difference - (values[2] - values[0])) < 1e-12)
        let without = try command("evaluate plain plain data", in: place)
        #expect(!without.output.contains("times only") && !without.output.contains("request"))
        let both = try command("evaluate model model data", in: place)
        #expect(both.output.contains("\nWith the request's time:\n"))
    }

    @Test func dataWithoutTimesIsRefused() throws {
        let place = try prepared(timedLog())
        try #require(try command(training, in: place).status == 0)
        let sequences = (0..<30).map { user in
            "u\(user) " + (0..<6).map { "i\((user + $0) % 20)" }.joined(separator: " ")
        }
        try place.write(sequences.joined(separator: "\n") + "\n", "sequences.txt")
        let prepared = try command("prepare sequences.txt -o untimed", in: place)
        try #require(prepared.status == 0, "\(prepared.error)")
        for line in ["train untimed -m other --time --epochs 1", "evaluate model untimed"] {
            let refused = try command(line, in: place)
            #expect(refused.status == 65, "\(line): \(refused.error)")
            #expect(refused.error.contains("needs the times of events, which this dataset has not"), "\(refused.error)")
        }
        let asked = try command("recommend model --data untimed --user u1", in: place)
        #expect(asked.status == 65 && asked.error.contains("needs the times of events"), "\(asked.error)")
    }

    /// A history needs times, in a form that says them; one of a user has those of the dataset.
    @Test func historiesWithTimes() throws {
        let place = try prepared(timedLog())
        try #require(try command(training, in: place).status == 0)
        for option in ["--history i1,i2", "--title i1"] {
            let refused = try command("recommend model \(option)", in: place)
            #expect(refused.status == 64 && refused.error.contains("gives no times"), "\(refused.error)")
        }
        func answer(_ line: String) throws -> Outcome {
            try place.write(line + "\n", "h.jsonl")
            return try command("recommend model --histories h.jsonl -k 3 --json --threads 1", in: place)
        }
        let iso = try answer(
            #"{"history": ["i1", "new", "i2"], "times": ["2026-05-01T12:30:00Z", 1777638650, "2026-05-01T12:33:00Z"]}"#)
        let numbers = try answer(#"{"items": ["i1", "i2"], "timestamps": [1777638600, 1777638780]}"#)
        try #require(iso.status == 0 && numbers.status == 0, "\(iso.error)\(numbers.error)")
        func items(_ outcome: Outcome) -> Substring? { outcome.output.split(separator: "\"recommendations\"").last }
        #expect(iso.output.contains("\"unknown\":1") && items(iso) == items(numbers))
        let later = try answer(#"{"items": ["i1", "i2"], "timestamps": [1577638600, 1777638780]}"#)
        #expect(later.output != numbers.output, "times matter")
        for (line, reason) in [
            (#"["i1", "i2"]"#, "line 1: it has no times"), ("i1 i2", "line 1: it has no times"),
            (#"{"history": ["i1"]}"#, "line 1: it has no times"),
            (#"{"history": ["i1"], "times": [1, 2]}"#, "line 1: 2 times for 1 event"),
            (#"{"history": ["i1", "i2"], "times": [2, 1]}"#, "line 1: the times of its events do not ascend"),
            (#"{"history": ["i1"], "times": ["soon"]}"#, "line 1: the time 'soon': expected"),
            (#"{"history": ["i1"], "times": 5}"#, "line 1: expected the times as a list"),
        ] {
            let refused = try answer(line)
            #expect(refused.status == 65 && refused.error.contains(reason), "\(refused.error)")
        }
    }

    /// The time of a last event is no earlier than it, though dates have nanoseconds and --at microseconds; what is too early is said before any answer.
    @Test func theEarliestQuestion() throws {
        let place = try prepared(timedLog())
        try #require(try command(training, in: place).status == 0)
        let early = try command("recommend model --data data --all-users --at 1000 --json", in: place)
        #expect(early.status == 64 && early.output.isEmpty, "\(early.output)")
        #expect(
            early.error.contains("--at 1970-01-01T00:16:40Z: it lies before the last event of user "), "\(early.error)")
        let request = Request(subject: .history, items: [1], times: [1_700_392_333_123_456_789])
        #expect([request].firstWithEvent(after: 1_700_392_333_123_456_000) == nil)
        #expect([request].firstWithEvent(after: 1_700_392_333_123_455_000) != nil)
    }

    @Test func inspectSaysHowMuchFades() throws {
        let place = try prepared(timedLog())
        try #require(try command(training, in: place).status == 0)
        let text = try command("inspect model", in: place).output
        #expect(text.contains(", repeat-aware head, time") && text.contains("% after a day"), "\(text)")
    }

    /// Numbers that only say the order are no times of day, and have no last day.
    @Test func timesThatAreAnOrder() throws {
        let place = try prepared(timedLog())
        try #require(try command(training, in: place).status == 0)
        try place.write(walks(), "ordered.csv")
        let prepared = try command("prepare ordered.csv -o ordered", in: place)
        try #require(prepared.error.contains("numbers that are no dates"), "\(prepared.error)")
        for line in [
            "train ordered -m other --time --epochs 1", "evaluate model ordered",
            "recommend model --data ordered --user u1 --at now", "recommend model --data ordered --user u1",
        ] {
            let refused = try command(line, in: place)
            #expect(refused.status == 65, "\(line): \(refused.error)")
            #expect(refused.error.contains("the times of this dataset are numbers that only say the order"))
        }
        let stream = "train ordered -m stream --split stream --epochs 1 --hidden-size 8 --threads 1"
        for line in [stream, "evaluate stream ordered"] {
            let outcome = try command(line, in: place)
            #expect(outcome.status == 0 && outcome.error.contains("there is no popularity of the last day"))
            #expect(outcome.output.contains("Popularity so far") && !outcome.output.contains("last day"))
            #expect(!outcome.output.contains("< 1 day"))
        }
        #expect(try command("evaluate stream ordered", in: place).output.contains("some counting is ahead of RecBLR"))
    }

    @Test func whatKnowsNoTimeIsNotAskedAtOne() throws {
        let place = try prepared(timedLog())
        for line in ["--mixer lru", "--mixer attention", "--recurrence-only"] {
            let refused = try command("\(training) \(line)", in: place)
            #expect(refused.status == 64 && refused.error.contains("--time"), "\(refused.error)")
        }
        try #require(try command("train data -m model --epochs 1 --hidden-size 8", in: place).status == 0)
        let asked = try command("recommend model --data data --user u3 --at now", in: place)
        #expect(asked.status == 64 && asked.error.contains("trained with --time"), "\(asked.error)")
    }
}
