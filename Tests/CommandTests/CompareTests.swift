import Foundation
import Testing

/// Two models on the same cases, and streams: what is printed and what is refused.
@Suite struct CompareTests {
    private static let small = ["--hidden-size", "8", "--threads", "1", "--batch-tokens", "256"]

    /// A log with times that are dates, an item that occurs only at the end, and a model.
    private static func place(_ trainings: [(name: String, arguments: [String])]) throws -> Workplace {
        let place = try Workplace()
        let lines = walks().split(separator: "\n")
        let dated = lines.dropFirst().enumerated().map { number, line in
            let fields = line.split(separator: ",")
            return "\(fields[0]),\(fields[1]),\(1_700_000_000 + 9000 * Int(fields[2])! + number)"
        }
        let late =
            (1...5).map { "u\($0),late,\(1_700_200_000 + $0)" } + (1...5).map { "u\($0),i1,\(1_700_200_100 + $0)" }
        try place.write(([String(lines[0])] + dated + late).joined(separator: "\n") + "\n", "log.csv")
        let prepared = try run(["prepare", "log.csv", "-o", "data"], in: place)
        try #require(prepared.status == 0, "\(prepared.error)")
        for training in trainings {
            let trained = try run(["train", "data", "-m", training.name] + small + training.arguments, in: place)
            try #require(trained.status == 0, "\(trained.error)")
        }
        return place
    }

    private struct Compared: Decodable {
        struct Difference: Decodable { var difference: Double, low: Double?, high: Double?, excludesZero: Bool? }
        struct Setting: Decodable {
            var hr: Difference, ndcg: Difference, mrr: Difference, winsOfB: Int, winsOfA: Int, ties: Int
        }
        struct Group: Decodable { var cases: Int, users: Int, unmasked: Setting, masked: Setting }
        struct Slice: Decodable { var popularity: String, group: Group? }
        struct Comparison: Decodable { var resamples: Int, all: Group, slices: [Slice] }
        struct Metrics: Decodable { var ndcg: Double }
        struct Cut: Decodable { var at10: Metrics }
        struct Settings: Decodable { var unmasked: Cut, masked: Cut }
        struct Report: Decodable { var name: String, all: Settings }
        var a: String, b: String, reports: [Report], comparison: Comparison
    }

    @Test func twoModelsOnTheSameCases() throws {
        let place = try Self.place([
            ("one", ["--epochs", "1", "--learning-rate", "1e-7"]),
            ("ten", ["--epochs", "15", "--learning-rate", "0.01"]),
        ])
        let outcome = try run(["evaluate", "one", "ten", "data"], in: place)
        #expect(outcome.status == 0 && outcome.output.hasPrefix("60 cases, 21 items"), "\(outcome.error)")
        for part in [
            "A  one\nB  ten", "A, unmasked", "B, masked", "NDCG@10, unmasked", "2,000 resamples of 60 users",
            "all, masked", "excludes 0: B is better",
        ] {
            #expect(outcome.output.contains(part), "\(part)")
        }
        #expect(outcome.output.split(separator: "\n").allSatisfy { $0.count <= 100 })
        let json = try run(["evaluate", "one", "ten", "data", "--json"], in: place)
        let found = try JSONDecoder().decode(Compared.self, from: Data(json.output.utf8))
        #expect(found.a == "one" && found.b == "ten" && found.comparison.resamples == 2000)
        #expect(found.reports.map(\.name) == ["Popularity", "Last-item transitions", "A", "B"])
        let own = found.comparison.all
        let difference = found.reports[3].all.unmasked.at10.ndcg - found.reports[2].all.unmasked.at10.ndcg
        #expect(abs(own.unmasked.ndcg.difference - difference) < 1e-12 && own.unmasked.ndcg.excludesZero == true)
        let (low, high) = (try #require(own.unmasked.ndcg.low), try #require(own.unmasked.ndcg.high))
        #expect(low <= difference && difference <= high)
        #expect(own.masked.winsOfA + own.masked.winsOfB + own.masked.ties == 60)
        #expect(found.comparison.slices.map(\.popularity) == ["head", "middle", "tail"])
        #expect(found.comparison.slices.reduce(0) { $0 + ($1.group?.cases ?? 0) } == 60)
        // The other way round the signs change; a model differs from itself in nothing.
        let reverse = try JSONDecoder().decode(
            Compared.self, from: Data(run(["evaluate", "ten", "one", "data", "--json"], in: place).output.utf8))
        #expect(reverse.comparison.all.unmasked.hr.difference == -own.unmasked.hr.difference)
        let same = try run(["evaluate", "one", "one", "data"], in: place)
        #expect(
            same.status == 0 && same.output.contains("includes 0: undecided") && !same.output.contains("excludes 0"))
    }

    @Test func whatCannotBeCompared() throws {
        let place = try Self.place([
            ("one", ["--epochs", "1"]),
            ("time", ["--epochs", "1", "--split", "global-time", "--test-fraction", "0.3"]),
            ("all", ["--epochs", "1", "--split", "none"]),
        ])
        for (arguments, message) in [
            (["one", "time", "data"], "their held-out cases differ"),
            (["one", "all", "data"], "all was trained on everything (--split none) and has seen these targets"),
            (["all", "one", "data"], "all was trained on everything"),
            (["one", "one", "data", "--split", "global-time"], "one was trained with --split leave-one-out on "),
        ] {
            let outcome = try run(["evaluate"] + arguments, in: place)
            #expect(
                outcome.status == 65 && outcome.output.isEmpty && outcome.error.contains(message), "\(outcome.error)")
        }
        for arguments in [[], ["one"], ["one", "one", "one", "data"]] {
            let outcome = try run(["evaluate"] + arguments, in: place)
            #expect(outcome.status == 64, "\(outcome.error)")
        }
        // The same training and later cases of it: nothing that either has seen.
        let later = try run(["evaluate", "time", "time", "data"], in: place)
        #expect(later.status == 0 && !later.error.contains("may have seen"), "\(later.error)")
        let stream = try run(["evaluate", "time", "time", "data", "--split", "stream"], in: place)
        #expect(stream.status == 0, "\(stream.error)")
    }

    /// A split that nobody names is the one of the model, also where one is continued, and fractions are about it.
    @Test func theModelSaysTheSplit() throws {
        let place = try Self.place([
            ("stream", ["--epochs", "1", "--split", "stream", "--test-fraction", "0.2"]), ("one", ["--epochs", "1"]),
        ])
        let continued = try run(
            ["train", "data", "-m", "on", "--from", "stream", "--epochs", "1"] + Self.small, in: place)
        #expect(continued.status == 0 && continued.output.contains("Popularity of the last day"), "\(continued.error)")
        #expect(!continued.error.contains("another split"))
        func cases(_ more: [String]) throws -> Int {
            let outcome = try run(["evaluate", "stream", "data"] + more, in: place)
            #expect(outcome.status == 0 && outcome.output.contains("so far"), "\(outcome.error)")
            return Int(outcome.output.prefix { $0 != " " }.filter { $0 != "," }) ?? 0
        }
        let (usual, more) = (try cases([]), try cases(["--test-fraction", "0.3"]))
        #expect(usual > 0 && more > usual)
        #expect(try cases(["--split", "stream", "--test-fraction", "0.3"]) == more)
        for line in ["evaluate one data --test-fraction 0.3", "train data -m x --from one --validation-fraction 0.3"] {
            let refused = try run(line.split(separator: " ").map(String.init), in: place)
            #expect(refused.status == 64 && refused.error.contains("-fraction goes with --split"), "\(refused.error)")
        }
    }

    /// What a model's predecessors have seen, it has seen.
    @Test func whatWasSeenBefore() throws {
        let place = try Self.place([
            ("one", ["--epochs", "1"]), ("all", ["--epochs", "1", "--split", "none"]),
            ("on", ["--epochs", "1", "--from", "all", "--split", "leave-one-out"]),
            ("on2", ["--epochs", "1", "--from", "on"]), ("fair", ["--epochs", "1", "--from", "one"]),
        ])
        let seen = "continues a model that was trained on everything (--split none) and has seen these targets"
        for model in ["on", "on2"] {
            for arguments in [["one", model], [model, "one"]] {
                let outcome = try run(["evaluate"] + arguments + ["data"], in: place)
                #expect(outcome.status == 65 && outcome.output.isEmpty, "\(arguments)")
                #expect(outcome.error.contains("\(model) \(seen): compare models"), "\(outcome.error)")
            }
            let alone = try run(["evaluate", model, "data"], in: place)
            #expect(alone.status == 0 && alone.error.contains("warning: the model \(seen)"), "\(alone.error)")
        }
        let third = try run(["train", "data", "-m", "on3", "--epochs", "1", "--from", "on2"] + Self.small, in: place)
        #expect(third.status == 0 && third.error.contains("on2 continues a model that was trained with another split"))
        let fair = try run(["evaluate", "one", "fair", "data"], in: place)
        #expect(fair.status == 0 && !fair.error.contains("seen"), "\(fair.error)")
    }

    /// Items that one model does not know are misses of it alone, and counted.
    @Test func modelsThatKnowOtherItems() throws {
        let place = try Self.place([("one", ["--epochs", "1"])])
        let lines = String(decoding: try place.bytes("log.csv"), as: UTF8.self).split(separator: "\n")
        try place.write(lines.filter { !$0.contains(",i3,") }.joined(separator: "\n") + "\n", "less.csv")
        #expect(try run(["prepare", "less.csv", "-o", "less"], in: place).status == 0)
        #expect(try run(["train", "less", "-m", "two", "--epochs", "1"] + Self.small, in: place).status == 0)
        let outcome = try run(["evaluate", "one", "two", "data"], in: place)
        #expect(outcome.status == 0 && outcome.output.hasPrefix("60 cases"), "\(outcome.error)")
        #expect(
            outcome.error.contains("two does not know 1 of the 21 items")
                && outcome.error.contains("missed for their target"))
        #expect(outcome.error.contains("two was trained on other data") && !outcome.error.contains("one does not know"))
    }

    /// Cuts by time lie elsewhere where times do, and a training that goes on would learn from other events.
    @Test func theSameSequencesAtOtherTimes() throws {
        let training = ["--split", "stream", "--schedule", "constant", "--epochs"]
        let place = try Self.place([("one", training + ["1"])])
        let lines = String(decoding: try place.bytes("log.csv"), as: UTF8.self).split(separator: "\n")
        let shifted = lines.enumerated().map { number, line in
            let fields = line.split(separator: ",")
            guard number > 0, let user = Int(fields[0].dropFirst()), let time = Int(fields[2]) else {
                return String(line)
            }
            return "\(fields[0]),\(fields[1]),\(time + 40_000 * user)"
        }
        try place.write(shifted.joined(separator: "\n") + "\n", "log.csv")
        #expect(try run(["prepare", "log.csv", "-o", "data"], in: place).status == 0)
        let message = "was trained on other data: whether these targets were among it is not known"
        let alone = try run(["evaluate", "one", "data"], in: place)
        #expect(alone.status == 0 && alone.error.contains("the model \(message)"), "\(alone.error)")
        let both = try run(["evaluate", "one", "one", "data"], in: place)
        #expect(both.status == 0 && both.error.contains("one \(message)"), "\(both.error)")
        let more = ["train", "data", "-m", "one", "--resume"] + Self.small + training + ["2"]
        let resumed = try run(more, in: place)
        #expect(resumed.status == 65 && resumed.error.contains("it was trained on other data"), "\(resumed.error)")
    }

    @Test func aStream() throws {
        let place = try Self.place([("model", ["--epochs", "2", "--split", "stream", "--test-fraction", "0.2"])])
        let outcome = try run(["evaluate", "model", "data"], in: place)
        #expect(outcome.status == 0, "\(outcome.error)")
        for part in [
            "Popularity of the last day, unmasked", "Popularity so far, masked", "Last-item transitions so far",
            "NDCG@10 from",
            "2023-11-1", ", unmasked", "unmasked: some counting is ahead of RecBLR in ",
        ] { #expect(outcome.output.contains(part), "\(part)") }
        #expect(outcome.output.split(separator: "\n").allSatisfy { $0.count <= 100 })
        #expect(outcome.error.contains("the model does not know 1 of the 21 items"), "\(outcome.error)")
        #expect(outcome.error.contains("5 missed for their target"))
        // The training reported the same numbers.
        struct Record: Decodable { var test: Compared.Report }
        let record = try JSONDecoder().decode(Record.self, from: place.bytes("model/training.json"))
        let json = try run(["evaluate", "model", "data", "--json"], in: place)
        let reports = try JSONDecoder().decode([Compared.Report].self, from: Data(json.output.utf8))
        #expect(reports.count == 4 && reports[3].all.unmasked.at10.ndcg == record.test.all.unmasked.at10.ndcg)
        #expect(json.output.contains("\"parts\" : ["))
        #expect(try run(["inspect", "model"], in: place).status == 0)

        try place.write(
            walks().split(separator: "\n").map { $0.split(separator: ",").prefix(2).joined(separator: ",") }.joined(
                separator: "\n"), "timeless.csv")
        #expect(try run(["prepare", "timeless.csv", "-o", "timeless", "--file-order"], in: place).status == 0)
        let timeless = try run(["train", "timeless", "-m", "other", "--split", "stream"] + Self.small, in: place)
        #expect(timeless.status == 65 && timeless.error.contains("a stream needs timestamps"), "\(timeless.error)")
        let evaluated = try run(["evaluate", "model", "timeless", "--split", "stream"], in: place)
        #expect(evaluated.status == 65 && evaluated.error.contains("a stream needs timestamps"), "\(evaluated.error)")
    }
}
