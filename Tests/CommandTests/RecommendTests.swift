import Foundation
import Testing

/// What `recommend` answers, and what it says on the way.
@Suite(.serialized) struct RecommendTests {
    /// A model of items with awkward ids beside the plain ones, made once; the tests that use it come one after the other.
    private nonisolated(unsafe) static let trained = Result { () throws -> Workplace in
        let place = try Workplace()
        var log = walks()
        for user in 1...20 {
            log += "w\(user),\"a,b\",\(user)\nw\(user),c d,\(user + 100)\nw\(user),i1,\(user + 200)\n"
        }
        try place.write(log, "log.csv")
        for arguments in [
            "prepare log.csv -o data --min-user-events 1 --min-item-events 1",
            "train data -m model --epochs 2 --hidden-size 8 --threads 2",
        ] {
            let outcome = try run(arguments.split(separator: " ").map(String.init), in: place)
            try #require(outcome.status == 0, "\(arguments): \(outcome.error)")
        }
        return place
    }

    private let place: Workplace

    init() throws { place = try Self.trained.get() }

    struct Answer: Decodable, Equatable {
        struct Item: Decodable, Equatable { var id: String, score: Double }
        var user: String?
        var line: Int?
        var basis: String
        var events: Int
        var unknown: Int
        var recommendations: [Item]
        var ids: [String] { recommendations.map(\.id) }
    }

    private func recommend(_ arguments: String...) throws -> Outcome {
        try run(["recommend", "model"] + arguments, in: place)
    }

    /// The answers on standard output, one a line.
    private func answers(_ outcome: Outcome) throws -> [Answer] {
        try #require(outcome.status == 0, "\(outcome.error)")
        return try outcome.output.split(separator: "\n").map {
            try JSONDecoder().decode(Answer.self, from: Data($0.utf8))
        }
    }

    @Test func unknownItemsArePassedOverAndCounted() throws {
        let plain = try recommend("--history", "i1,i2", "--format", "jsonl")
        #expect(plain.error.isEmpty)
        let outcome = try recommend(
            "--history", "i99,i1", "--history", "nothing", "--history", "i2", "--format", "jsonl", "--exclude", "i98")
        let (answer, expected) = (try answers(outcome)[0], try answers(plain)[0])
        #expect(answer.unknown == 2 && answer.events == 2 && answer.basis == "history")
        #expect(answer.recommendations == expected.recommendations)
        #expect(
            outcome.error == """
                recblr: note: --exclude: skipped what the model does not know (i98)
                recblr: note: skipped 2 events of items that the model does not know (i99, …)

                """)
        let only = try recommend("--history", "i1", "--only", "i98,i3", "--format", "jsonl")
        #expect(try answers(only)[0].ids == ["i3"])
        #expect(only.error.contains("--only: skipped what the model does not know (i98)"))
    }

    struct Explained: Decodable {
        struct Explanation: Decodable {
            struct Term: Decodable { var item: String, contribution: Double, scoreWithout: Double? }
            var terms: [Term], earlier: Double, constant: Double, repeats: Double
        }
        struct Item: Decodable { var id: String, score: Double, explanation: Explanation? }
        var recommendations: [Item]
    }

    private func explained(_ history: [String], _ arguments: String...) throws -> [Explained.Item] {
        let outcome = try run(
            ["recommend", "model", "--json"] + history.flatMap { ["--history", $0] } + arguments, in: place)
        try #require(outcome.status == 0, "\(outcome.error)")
        return try JSONDecoder().decode([Explained].self, from: Data(outcome.output.utf8))[0].recommendations
    }

    /// The terms of each item add up to its score; the score without an event is that of the history without it.
    @Test func explanationsAddUp() throws {
        let history = ["i1", "a,b", "i5", "i7", "c d"]
        let items = try explained(history, "--explain", "-k", "3")
        #expect(items.count == 3)
        for item in items {
            let explanation = try #require(item.explanation)
            #expect(explanation.terms.map(\.item) == history.reversed() && explanation.earlier == 0)
            let sum = explanation.terms.reduce(explanation.constant + explanation.repeats) { $0 + $1.contribution }
            #expect(abs(sum - item.score) < 1e-4)
            #expect(explanation.terms.count { $0.scoreWithout != nil } == 3)
            for (index, term) in explanation.terms.enumerated() {
                guard let scoreWithout = term.scoreWithout else { continue }
                var without = history
                without.remove(at: history.count - 1 - index)
                let own = try explained(without, "--only", item.id, "--no-exclude-seen")[0]
                #expect(abs(own.score - scoreWithout) < 1e-4 && own.explanation == nil)
            }
        }
        #expect(try explained(["i99"], "--explain").allSatisfy { $0.explanation == nil }, "popular items")
        for arguments in [["--format", "csv"], ["--output", "a.tsv"]] {
            let outcome = try run(["recommend", "model", "--history", "i1", "--explain"] + arguments, in: place)
            #expect(outcome.status == 64 && outcome.error.contains("--explain: tsv and csv hold ids only"))
        }
    }

    @Test(arguments: [["--history", ""], ["--history", "i99"], ["--data", "data", "--user", "u999"]])
    func whoeverHasNoHistoryGetsWhatIsPopular(arguments: [String]) throws {
        let outcome = try run(["recommend", "model", "-k", "3", "--format", "jsonl"] + arguments, in: place)
        let answer = try answers(outcome)[0]
        #expect(answer.basis == "popularity" && answer.events == 0 && answer.recommendations.count == 3)
        #expect(answer.recommendations.map(\.score) == answer.recommendations.map(\.score).sorted(by: >))
        #expect(answer.recommendations.allSatisfy { $0.score > 1 && $0.score == $0.score.rounded() })
        #expect(outcome.error.contains("popular items for 1 user without an event that the model knows"))
        let text = try run(["recommend", "model", "-k", "3"] + arguments, in: place)
        #expect(text.status == 0 && text.output.contains(": popular items\n") && text.output.contains("events"))
    }

    @Test func modelsOfVersion030SayThatTheyDoNotKnowWhatIsPopular() throws {
        let copy = place.path("old")
        try? FileManager.default.removeItem(atPath: copy)
        try FileManager.default.copyItem(atPath: place.path("model"), toPath: copy)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        try FileManager.default.removeItem(atPath: copy + "/popularity.i64")
        let file = URL(fileURLWithPath: copy + "/config.json")
        let json = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
        var configuration = try #require(json)
        configuration["format"] = 1  // which had no checksums
        for key in ["files", "checksum"] { configuration[key] = nil }
        try JSONSerialization.data(withJSONObject: configuration).write(to: file)
        let nobody = try run(["recommend", "old", "--history", ""], in: place)
        #expect(nobody.status == 65 && nobody.output.isEmpty && nobody.error.contains("train again"), "\(nobody)")
        try place.write("[\"i1\"]\n[]\n", "two.jsonl")
        let two = try run(["recommend", "old", "--histories", "two.jsonl"], in: place)
        #expect(try answers(two).map(\.basis) == ["history", "none"])
        #expect(two.error.contains("no answer for 1 user"))
    }

    @Test func idsWithCommasAndBlanksCanBeSaid() throws {
        let outcome = try recommend(
            "--history", "a,b", "--history", "c d", "--history", "i1,i2", "--exclude", "i3", "--exclude", "i4,i5",
            "--format", "jsonl", "-k", "100")
        let answer = try answers(outcome)[0]
        #expect(answer.events == 4 && answer.unknown == 0 && outcome.error.isEmpty)
        #expect(Set(["a,b", "c d", "i1", "i2", "i3", "i4", "i5"]).isDisjoint(with: answer.ids))
        let only = try recommend("--history", "i1", "--only", "a,b", "--only", "c d", "--format", "csv")
        #expect(only.output.hasPrefix("user,basis,item_1,item_2,") && only.output.contains(",history,"))
        #expect(only.output.contains("\"a,b\"") && only.output.contains("c d"))
        try place.write(
            """
            {"user": 7, "history": ["a,b", "c d"], "more": {"history": [1, {"x": "]"}]}}
            ["i1", "i\\u0032", 99]
            {"user_id": "x\\"y", "items": []}
            {"user": null, "history": ["i1"]}

            """, "awkward.jsonl")
        let batch = try answers(try recommend("--histories", "awkward.jsonl"))
        #expect(batch.map(\.user) == ["7", nil, "x\"y", nil] && batch.map(\.line) == [nil, 2, nil, 4])
        #expect(batch.map(\.events) == [2, 2, 0, 1] && batch.map(\.unknown) == [0, 1, 0, 0])
        #expect(batch.map(\.basis) == ["history", "history", "popularity", "history"])
    }

    @Test func batchesComeInOrderWhateverTheThreads() throws {
        var text = ""
        for line in 0..<1500 {
            let length = line % 7 == 0 ? 600 : line % 5
            text += (0..<length).map { "i\(($0 * 3 + line) % 22)" }.joined(separator: " ") + "\n"
        }
        try place.write(text + "i1\n\n\n", "many.txt")
        var outputs: Set<String> = []
        for threads in ["1", "2", "5"] {
            let outcome = try recommend("--histories", "many.txt", "--threads", threads, "-k", "3")
            outputs.insert(outcome.output)
            #expect(outcome.error.contains("Answered 1,501 users, "))
        }
        #expect(outputs.count == 1, "the same bytes")
        let lines = try outputs.first!.split(separator: "\n").map {
            try JSONDecoder().decode(Answer.self, from: Data($0.utf8))
        }
        #expect(lines.map(\.line) == (1...1501).map(\.self), "blank lines are empty histories but at the end")
        for line in [0, 1, 3, 7, 1498] {
            let history = text.split(separator: "\n", omittingEmptySubsequences: false)[line]
                .replacing(" ", with: ",")
            let alone = try answers(try recommend("--history", String(history), "-k", "3", "--format", "jsonl"))[0]
            #expect(alone.ids == lines[line].ids && alone.basis == lines[line].basis)
            #expect(
                zip(alone.recommendations, lines[line].recommendations).allSatisfy { abs($0.score - $1.score) < 1e-4 })
        }
    }

    @Test func everyUserOfTheDataInEveryFormat() throws {
        let lines = try answers(try recommend("--data", "data", "--all-users", "-k", "4"))
        #expect(lines.count == 80 && Set(lines.map(\.user)).count == 80 && lines.allSatisfy { $0.unknown == 0 })
        let users = lines.map { $0.user! }
        try place.write((users + ["stranger"]).joined(separator: "\r\n") + "\n\n", "users.txt")
        for (format, separator) in [("tsv", "\t"), ("csv", ",")] {
            let outcome = try recommend(
                "--data", "data", "--users", "users.txt", "-k", "4", "--output", "answers.\(format)")
            #expect(outcome.status == 0 && outcome.output.isEmpty)
            #expect(outcome.error.contains("not in the data: 1 user (stranger)"))
            let rows = try String(decoding: place.bytes("answers.\(format)"), as: UTF8.self).split(separator: "\n")
            #expect(
                rows[0] == ["user", "basis", "item_1", "item_2", "item_3", "item_4"].joined(separator: separator)[...])
            #expect(rows.count == 82 && rows[81].hasPrefix("stranger\(separator)popularity\(separator)"))
            if format == "tsv" {
                for (row, line) in zip(rows.dropFirst(), lines) {
                    #expect(row.split(separator: "\t").map(String.init) == [line.user!, line.basis] + line.ids)
                }
            }
            try FileManager.default.removeItem(atPath: place.path("answers.\(format)"))
        }
        let json = try recommend("--data", "data", "--all-users", "-k", "4", "--json")
        #expect(try JSONDecoder().decode([Answer].self, from: Data(json.output.utf8)) == lines)
        let text = try recommend("--data", "data", "--user", "u2", "--user", "u1", "-k", "2")
        #expect(text.output.contains("User u2, last of 15 events: ") && text.output.contains("\n\nUser u1, last of"))
    }

    @Test func aFileOfSequencesDoesNotTakeTheUserForAnItem() throws {
        try place.write("u1 i1 i2\nu2 i3\nu3\n", "sequences.txt")
        let outcome = try recommend("--histories", "sequences.txt")
        #expect(try answers(outcome).map(\.user) == ["u1", "u2", "u3"])
        #expect(try answers(outcome).map(\.events) == [2, 1, 0])
        #expect(
            outcome.error.contains("each line is read as a user and the items")
                && outcome.error.contains("--line-starts-with item"))
        let asItems = try recommend("--histories", "sequences.txt", "--line-starts-with", "item")
        #expect(try answers(asItems).map(\.unknown) == [1, 1, 1])
        try place.write("i1 i2\ni3\n", "items.txt")
        let items = try recommend("--histories", "items.txt")
        #expect(try answers(items).map(\.line) == [1, 2] && items.error.contains("each line is read as the items"))
        try place.write("i1,i2\na,b i3, i4\nu7,i5\n", "commas.txt")
        let commas = try answers(try recommend("--histories", "commas.txt"))
        #expect(commas.map(\.events) == [2, 3, 1] && commas.map(\.unknown) == [0, 0, 1])
        let asUsers = try recommend("--histories", "items.txt", "--line-starts-with", "user")
        #expect(try answers(asUsers).map(\.user) == ["i1", "i3"])
    }

    @Test func usersWhoAreNumberedLikeItemsAreToldByTheirOrder() throws {
        let other = try Workplace()
        let lines = (1...30).map { user in "\(user) " + (0..<8).map { "\((user + $0) % 30 + 1)" }.joined(separator: " ")
        }
        try other.write(lines.joined(separator: "\n"), "log.txt")
        try #require(try run(["prepare", "log.txt", "-o", "data"], in: other).status == 0)
        try #require(
            try run(["train", "data", "-m", "model", "--epochs", "1", "--hidden-size", "4"], in: other).status == 0)
        let outcome = try run(["recommend", "model", "--histories", "log.txt", "-k", "1"], in: other)
        #expect(try answers(outcome).map(\.user) == (1...30).map { "\($0)" })
        #expect(try answers(outcome).allSatisfy { $0.events == 8 })
    }

    @Test func badLinesNameTheLineAndLeaveNoFile() throws {
        try place.write("precious", "kept.jsonl")
        let before = try place.names()
        for (line, message) in [
            ("{\"user\": 1, \"clicks\": []}", "there is no key history; found user, clicks"),
            ("{\"history\": \"i1\"}", "expected the history as a list of ids at byte 13"),
            ("[\"i1\", null]", "expected an item as text or a number at byte 8"),
            ("[{\"user\": 1}]", "jq -c '.[]'"), ("[\"i1\"", "expected a comma or the end of the list"),
            ("[\"i1\"] []", "expected the end of the line"), ("{\"history\": [], \"history\": []}", "more than once"),
            ("[\"\\ud800\"]", "expected the other half of a surrogate pair at byte 9"),
            ("i1 i2", "expected an object or a list"),
            ("[\"a\u{7}\"]", "expected a closing quote"), ("[1x]", "expected a number"),
        ] {
            try place.write("[\"i1\"]\n\n\(line)\n[]\n", "bad.jsonl")
            for output in ["kept.jsonl", "new.jsonl"] {
                let outcome = try recommend("--histories", "bad.jsonl", "--output", output)
                #expect(outcome.status == 65 && outcome.output.isEmpty, "\(line): \(outcome.error)")
                #expect(
                    outcome.error.contains("bad.jsonl, line 3: ") && outcome.error.contains(message), "\(outcome.error)"
                )
            }
            try FileManager.default.removeItem(atPath: place.path("bad.jsonl"))
            #expect(try place.names() == before && place.bytes("kept.jsonl") == Data("precious".utf8))
        }
        try FileManager.default.removeItem(atPath: place.path("kept.jsonl"))
    }

    /// Weights that can be read and scores that cannot be used.
    @Test func scoresThatAreNotFiniteAreOneSentence() throws {
        let file = place.url.appendingPathComponent("model/model.safetensors")
        let good = try Data(contentsOf: file)
        defer { try? good.write(to: file) }
        let start = 8 + Int(good.prefix(8).enumerated().reduce(0) { $0 | UInt64($1.element) << (8 * $1.offset) })
        var damaged = good
        for place in stride(from: start, to: damaged.count - 3, by: 4) {
            damaged.replaceSubrange(place..<place + 4, with: [0xFF, 0xFF, 0x7F, 0x7F])
        }
        try damaged.write(to: file)
        let outcome = try recommend("--history", "i1")
        #expect(outcome.status == 65 && outcome.output.isEmpty && outcome.error.split(separator: "\n").count == 1)
        #expect(outcome.error.contains("model"), "it names the model: \(outcome.error)")
    }

    @Test func evaluateMatchesItemsById() throws {
        let rows = walks().split(separator: "\n")
        try place.write(([rows[0]] + rows.dropFirst().reversed()).joined(separator: "\n"), "reversed.csv")
        // As the log but for item i0, which is called new.
        try place.write(walks().replacing(",i0,", with: ",new,"), "renamed.csv")
        try place.write(walks().replacing(",i", with: ",x").replacing(",xtem_id", with: ",item_id"), "foreign.csv")
        try place.write(walks(), "plain.csv")
        var tables: [String] = []
        for name in ["plain", "reversed", "renamed", "foreign"] {
            try #require(try run(["prepare", "\(name).csv", "-o", name], in: place).status == 0)
        }
        for name in ["plain", "reversed"] {
            let outcome = try run(["evaluate", "model", name], in: place)
            #expect(outcome.status == 0 && !outcome.error.contains("does not know"), "\(outcome.error)")
            // Without the time it took, and the slices, where equally popular items are told apart by number.
            tables.append(outcome.output.split(separator: "\n")[1...8].joined(separator: "\n"))
        }
        #expect(tables[0] == tables[1], "the same data, numbered otherwise")
        let renamed = try run(["evaluate", "model", "renamed"], in: place)
        #expect(renamed.status == 0)
        #expect(renamed.error.contains("the model does not know 1 of the 20 items: skipped "))
        #expect(
            renamed.error.contains("of 60 cases ") && renamed.error.contains(" missed for their target, 0 for a"))
        let foreign = try run(["evaluate", "model", "foreign"], in: place)
        #expect(foreign.status == 65 && foreign.error.contains("model knows none of the 20 items of the dataset"))
    }
}
