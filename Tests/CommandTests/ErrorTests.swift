import Foundation
import Testing

/// Bad input: one clear sentence, the right code, nothing left behind.
@Suite struct ErrorTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var arguments: String
        var status: Int32
        var message: String
        var testDescription: String { arguments }
    }

    static let cases = [
        Case(
            arguments: "prepare none.csv -o out", status: 66,
            message: "none.csv: cannot open: No such file or directory"),
        Case(
            arguments: "prepare folder -o out", status: 65,
            message: "nor from its first lines; give --format, one of csv, tsv, recbole, movielens, jsonl, sequences"),
        Case(
            arguments: "prepare folder --format csv -o out", status: 65,
            message:
                "folder/file, line 1: there is no column of users; found precious; name the one that is meant with --user"
        ),
        Case(arguments: "prepare log.csv log.csv -o out", status: 65, message: "is given twice"),
        Case(
            arguments: "prepare log.csv --where type -o out", status: 64,
            message: "--where 'type' should be COLUMN=VALUE."),
        Case(
            arguments: "prepare log.csv --file-order --timestamp x -o out", status: 64,
            message: "Give one of --timestamp and --file-order."),
        Case(
            arguments: "prepare log.csv --title-column x -o out", status: 64, message: "--title-column needs --titles."),
        Case(
            arguments: "prepare timeless.csv -o out", status: 65,
            message:
                "line 1: there is no column of times; found user, item, moment; name the one that is meant with --timestamp, "
                + "or say --file-order if the lines are in order of time"),
        Case(
            arguments: "prepare table.parquet -o out", status: 65,
            message:
                "table.parquet: it is a Parquet file; the Python package reads it: recblr.Dataset(pyarrow.parquet.read_table('"
        ),
        Case(
            arguments: "prepare table.parquet --format csv -o out", status: 65,
            message: "table.parquet'), user=…, item=…, timestamp=…).save(FOLDER)"),
        Case(
            arguments: "prepare table.arrow -o out", status: 65,
            message:
                "table.arrow: it is an Arrow IPC file; the Python package reads it: recblr.Dataset(pyarrow.feather.read_table('"
        ),
        Case(
            arguments: "prepare log.csv table.parquet -o out", status: 65,
            message: "table.parquet is a Parquet file: they make no one log"),
        Case(
            arguments: "prepare cut.csv.zst -o out", status: 65,
            message: "cut.csv.zst: cannot read: damaged Zstandard data (unexpected end of file)"),
        Case(arguments: "prepare empty.csv -o out", status: 65, message: "empty.csv: it is empty"),
        Case(arguments: "prepare header.csv -o out", status: 65, message: "header.csv: no events"),
        Case(
            arguments: "prepare bad.csv -o out", status: 65,
            message: "bad.csv, line 3: the item is empty; give --skip-bad-lines, which"),
        Case(
            arguments: "prepare events.csv -o out", status: 65,
            message: "say which columns are which, for instance --no-header --user 1 --item 2 --timestamp 3"),
        Case(
            arguments: "prepare words.csv --user 1 --item 2 --file-order -o out", status: 65,
            message: "('bob', 'apple'); say --header or --no-header"),
        Case(
            arguments: "prepare header.csv --no-header -o out", status: 65,
            message: "it names columns (user, item, ts); leave --no-header out"),
        Case(
            arguments: "prepare quotes.csv -o out", status: 65,
            message: "; say --format tsv --delimiter comma if quotes mean nothing here"),
        Case(
            arguments: "prepare pairs.txt -o out", status: 65,
            message:
                "--no-header --user 1 --item 2 --file-order, or give --format sequences if each line is a user and its items"
        ),
        Case(
            arguments: "prepare array.json -o out", status: 65,
            message:
                "array.json: it is one JSON array, not an object a line; feed what is in it: jq -c '.[]' '"),
        Case(
            arguments: "prepare log.csv --user nobody -o out", status: 65,
            message: "line 1: there is no column nobody; found user_id, item_id, timestamp"),
        Case(
            arguments: "prepare twice.csv -o out", status: 65,
            message: "line 1: the column user occurs more than once; found user, user, item; give its number to --user"),
        Case(
            arguments: "prepare log.csv --min-user-events 999 -o out", status: 65,
            message:
                "no event of 900: users need 999 events, items 5, counted among what is left; the longest history has 15 events, "
        ),
        Case(
            arguments: "prepare log.csv --min-user-events 0 -o out", status: 64,
            message: "Fewest events must be at least 1."),
        Case(arguments: "prepare log.csv -o folder", status: 73, message: "folder"),
        Case(arguments: "prepare log.csv", status: 64, message: "Missing expected argument '--output"),
        Case(arguments: "train none -m out", status: 66, message: "none/dataset.json: cannot open"),
        Case(
            arguments: "train data -m out --learning-rate 0", status: 64,
            message: "the learning rate must lie in (0, 10)"),
        Case(arguments: "train data -m out --dropout 1", status: 64, message: "dropout must lie in [0, 1)"),
        Case(
            arguments: "train data -m out --hidden-size 0", status: 64,
            message: "hiddenSize is 0; it must lie in 1 ... 4096"),
        Case(
            arguments: "train data -m out --hidden-size 4096 --layers 64 --expansion 16", status: 64,
            message: "GB for weights, gradients and moments, "),
        Case(
            arguments: "train data -m out --clip-norm -1", status: 64,
            message: "the clip norm must be a positive number"),
        Case(
            arguments: "train data -m out --clip-norm inf", status: 64,
            message: "the clip norm must be a positive number"),
        Case(arguments: "train data -m out --epochs -1", status: 64, message: "epochs must lie in 1 ... 100000"),
        Case(
            arguments: "train data -m out --recurrence-only --expansion 4", status: 64,
            message: "--recurrence-only has nothing that --expansion or --convolution-width could change"),
        Case(
            arguments: "train data -m out --mixer attention --convolution-width 4", status: 64,
            message: "--mixer attention has nothing that --convolution-width could change"),
        Case(
            arguments: "train data -m out --mixer lru --recurrence-only", status: 64,
            message: "--mixer lru has nothing that --recurrence-only could change"),
        Case(
            arguments: "train data -m out --attention-window 8", status: 64,
            message: "--mixer bdlru has nothing that --attention-window could change"),
        Case(
            arguments: "train data -m out --mixer attention --attention-window 1", status: 64,
            message: "attentionWindow is 1; it must lie in 2 ... 4096"),
        Case(
            arguments: "train data -m out --negatives 8", status: 64,
            message: "--negatives is for --loss sampled; here the loss is full"),
        Case(arguments: "recommend model --history i1 -k -1", status: 64, message: "-k must be at least 1."),
        Case(arguments: "inspect \u{1B}[31mred", status: 66, message: "\\u{1B}[31mred"),
        Case(
            arguments: "train data -m out --loss none", status: 64,
            message: "The value 'none' is invalid for '--loss <loss>'"),
        Case(arguments: "train data -m out --threads 0", status: 64, message: "--threads must lie in 1 ... 1,024."),
        Case(
            arguments: "evaluate model data --threads 9223372036854775807", status: 64,
            message: "--threads must lie in 1 ... 1,024."),
        Case(
            arguments: "evaluate data model", status: 66, message: "data is a dataset's folder, expected a model's"),
        Case(
            arguments: "train model -m out", status: 66, message: "model is a model's folder, expected a dataset's"),
        Case(
            arguments: "train data -m out --from data", status: 66,
            message: "data is a dataset's folder, expected a model's"),
        Case(
            arguments: "train data -m out --from model --attention-window 8", status: 64,
            message: "--mixer bdlru has nothing that --attention-window could change"),
        Case(
            arguments: "train sequences -m out --split global-time", status: 65,
            message: "sequences: a split by time needs timestamps"),
        Case(arguments: "evaluate none data", status: 66, message: "none/config.json: cannot open"),
        Case(arguments: "evaluate model other", status: 65, message: "model knows none of the 5 items of the dataset"),
        Case(
            arguments: "recommend model", status: 64,
            message: "Give one of --user, --users, --all-users, --history, --title and --histories."
        ),
        Case(arguments: "recommend model --history i1 -k 0", status: 64, message: "-k must be at least 1."),
        Case(
            arguments: "recommend model --history i1 --only i98,i99", status: 65,
            message: "--only: the model knows none of these items (i98, i99)"),
        Case(arguments: "recommend model --history i1 --only ,", status: 64, message: "--only names no item"),
        Case(
            arguments: "recommend model --history i1 --user u1", status: 64,
            message: "Give one of --user, --users, --all-users, --history, --title and --histories."),
        Case(
            arguments: "recommend model --history i1 --data data", status: 64,
            message: "--data is read for --user, --users and --all-users alone."),
        Case(arguments: "recommend model --all-users", status: 64, message: "--all-users needs --data."),
        Case(
            arguments: "recommend model --history i1 --line-starts-with user", status: 64,
            message: "--line-starts-with is about the lines of --histories."),
        Case(
            arguments: "recommend model --history i1 --json --format csv", status: 64,
            message: "--json and --format csv contradict each other."),
        Case(
            arguments: "recommend model --history i1 --output folder", status: 64,
            message: "--output: folder is a folder, expected a file."),
        Case(
            arguments: "recommend model --history i1 --output out.csv.gz", status: 64,
            message: "--output: answers are not packed"),
        Case(
            arguments: "recommend model --history i1 --output none/out.csv", status: 73,
            message: "none/out.csv: cannot create: No such file or directory"),
        Case(
            arguments: "recommend model --histories log.txt --output ./log.txt", status: 64,
            message: "--output and --histories are the same file: the answers would take its place."),
        Case(
            arguments: "recommend model --history i1 --output /dev/null", status: 64,
            message: "--output: /dev/null is no regular file"),
        Case(
            arguments: "recommend model --histories empty.csv", status: 65,
            message: "empty.csv: there is no history in it"),
        Case(
            arguments: "recommend model --histories none.txt", status: 66,
            message: "none.txt: cannot open: No such file or directory"),
        Case(
            arguments: "recommend model --data data --users empty.csv", status: 65,
            message: "there are no users to recommend to"),
        Case(
            arguments: "recommend model --title Nothing", status: 65,
            message: "the title 'Nothing' names no single item"),
        Case(arguments: "recommend model --user u1", status: 64, message: "--user needs --data."),
        Case(
            arguments: "import empty.csv --length 8 -m out", status: 65,
            message: "empty.csv: not a safetensors file: 0 bytes"),
        Case(arguments: "import empty.csv --length 0 -m out", status: 64, message: "--length must lie in 1 ... 65536."),
        Case(
            arguments: "experiment none data -o out", status: 64,
            message: "The value 'none' is invalid for '<experiment>'"
        ),
        Case(
            arguments: "experiment dropout data -o out --seeds 0", status: 64,
            message: "--seeds must lie in 1 ... 1000."),
        Case(
            arguments: "experiment dropout data -o out --learning-rate 0", status: 64,
            message: "the learning rate must lie in (0, 10)"),
        Case(arguments: "inspect none", status: 66, message: "none: cannot open: No such file or directory"),
        Case(arguments: "inspect log.csv", status: 66, message: "log.csv: cannot open: Not a directory"),
        Case(arguments: "inspect folder", status: 66, message: "folder is neither a dataset's nor a model's folder"),
        Case(arguments: "unknown", status: 64, message: "Unexpected argument 'unknown'"),
    ]

    /// Everything that the cases need, made once.
    private static func place() throws -> Workplace {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        try place.write("", "empty.csv")
        try place.write("PAR1\u{15}\0", "table.parquet")
        try place.write("ARROW1\0\0", "table.arrow")
        try Data([0x28, 0xB5, 0x2F, 0xFD, 0x24, 0x1F]).write(to: place.url.appendingPathComponent("cut.csv.zst"))
        try place.write("user,item,ts\n", "header.csv")
        try place.write("user,item,ts\n1,2,3\n1,,3\n", "bad.csv")
        try place.write("user,item,moment\n1,2,3\n", "timeless.csv")
        try place.write("user,user,item\n1,2,3\n", "twice.csv")
        try place.write("u1,i1,1700000000\nu2,i1,1700000001\n", "events.csv")
        try place.write("bob,apple\nann,pear\n", "words.csv")
        try place.write("user,item,ts\n1,\"2\"3,4\n", "quotes.csv")
        try place.write("1,10,4\n1,11,3\n", "pairs.txt")
        try place.write("[{\"user\":1}]\n", "array.json")
        try place.write("1 a b c d e\n2 a b c d e\n3 a b c d e\n4 a b c d e\n5 a b c d e\n", "log.txt")
        try FileManager.default.createDirectory(atPath: place.path("folder"), withIntermediateDirectories: true)
        try place.write("precious", "folder/file")
        for arguments in [
            "prepare log.csv -o data", "prepare log.txt -o sequences", "prepare log.txt -o other",
            "train data -m model --epochs 1 --hidden-size 4",
        ] {
            let outcome = try run(arguments.split(separator: " ").map(String.init), in: place)
            try #require(outcome.status == 0, "\(arguments): \(outcome.error)")
        }
        return place
    }

    @Test func everyErrorIsOneClearSentence() throws {
        let place = try Self.place()
        let before = try place.names()
        for each in Self.cases {
            let outcome = try run(each.arguments.split(separator: " ").map(String.init), in: place)
            #expect(outcome.status == each.status, "\(each.arguments): \(outcome.error)")
            #expect(outcome.error.contains(each.message), "\(each.arguments): \(outcome.error)")
            #expect(outcome.output.isEmpty, "\(each.arguments)")
            #expect(try place.names() == before, "\(each.arguments)")
        }
        #expect(try place.bytes("folder/file") == Data("precious".utf8))
    }

    /// A variable of the shell that is not set does not mean the current folder.
    @Test(arguments: [
        "prepare _ -o out", "prepare log.csv -o _", "prepare log.csv _ -o out", "prepare log.csv --titles _ -o out",
        "train _ -m out", "train data -m _", "train data -m out --epochs-from _", "inspect _", "evaluate _ data",
        "evaluate model _", "recommend _ --history i1", "recommend model --user u1 --data _",
        "recommend model --data data --users _", "recommend model --histories _",
        "recommend model --history i1 --output _", "import _ --length 8 -m out", "import x --length 8 -m _",
        "import x --length 8 --items _ -m out", "experiment dropout _ -o out", "experiment dropout data -o _",
    ])
    func emptyPaths(line: String) throws {
        let place = try Workplace()
        let arguments = line.split(separator: " ").map { $0 == "_" ? "" : String($0) }
        let outcome = try run(arguments, in: place)
        #expect(outcome.status == 64, "\(outcome.error)")
        #expect(outcome.error.contains("is empty (a variable that is not set?)"), "\(outcome.error)")
        #expect(try place.names() == [])
    }

    #if os(Linux)
        private static let canBeNobody: Bool = {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = [
                "-c", "setpriv --reuid 65534 --clear-groups \"$0\" --help >/dev/null 2>&1", program.path,
            ]
            guard (try? process.run()) != nil else { return false }
            process.waitUntilExit()
            return process.terminationStatus == 0
        }()

        /// Folders of others: what cannot be read is said, not guessed.
        @Test(
            .enabled(if: canBeNobody),
            arguments: [
                ("train closed/d -m out/m", "closed/d"), ("inspect closed/d", "closed/d"),
                ("inspect closed", "closed"), ("evaluate closed/d data", "closed/d/config.json"),
                ("prepare closed/log.csv -o out/m", "closed/log.csv"), ("prepare closed -o out/m", "closed"),
                ("recommend model --histories closed/x", "closed/x"),
            ])
        func closedFolders(line: String, named: String) throws {
            let place = try Self.place()
            let outcome = try shell(
                """
                chmod 755 .; mkdir -p closed/d out; chmod 700 closed; chmod 777 out; export LLVM_PROFILE_FILE=/dev/null
                setpriv --reuid 65534 --clear-groups "$0" \(line)
                """, in: place)
            #expect(outcome.status == 66, "\(outcome.error)")
            #expect(outcome.error.contains("\(named): cannot open: Permission denied"), "\(outcome.error)")
        }
    #endif

    @Test func damagedModelsAreErrors() throws {
        let place = try Self.place()
        for (file, message) in [
            ("config.json", "config.json: expected a JSON object"), ("items.tsv", "items.tsv"),
            ("model.safetensors", "model.safetensors: cannot use: 1 byte, but"),
        ] {
            let good = try place.bytes("model/\(file)")
            try place.write("?", "model/\(file)")
            let outcome = try run(["recommend", "model", "--history", "i1"], in: place)
            #expect(outcome.status == 65 && outcome.error.contains(message), "\(outcome.error)")
            try good.write(to: place.url.appendingPathComponent("model/\(file)"))
        }
        #expect(try run(["recommend", "model", "--history", "i1"], in: place).status == 0)
    }
}
