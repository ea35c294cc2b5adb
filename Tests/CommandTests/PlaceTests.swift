import Foundation
import Testing

/// Outputs in places that are not as other folders.
@Suite struct PlaceTests {
    private static let training = "train data --epochs 1 --hidden-size 4 --threads 1"

    private func run(_ script: String, in place: Workplace) throws -> (status: Int32, text: String) {
        // Coverage would be cut off by limits as well, and a damaged profile spoils everybody's.
        let outcome = try shell("exec 2>&1; \(script)", in: place, environment: ["LLVM_PROFILE_FILE": "/dev/null"])
        return (outcome.status, outcome.output)
    }

    private func prepared() throws -> Workplace {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        try #require(try run("recblr prepare log.csv -o data", in: place).status == 0)
        return place
    }

    /// Files may not grow beyond a limit, as on a disk that is full: what was there stays, and nothing else is left.
    @Test(arguments: ["train data --epochs 1 --threads 1 -m model", "experiment dropout data --epochs 1 -o out"])
    func aFullDiskLeavesTheOld(_ command: String) throws {
        let place = try prepared()
        try #require(try run("recblr \(Self.training) -m model", in: place).status == 0)
        let before = try place.tree()
        let weights = try place.bytes("model/model.safetensors")
        let outcome = try run("trap '' XFSZ; ulimit -f 2; recblr \(command)", in: place)
        #expect(outcome.status == 73 && outcome.text.contains("File too large"), "\(outcome.text)")
        #expect(!outcome.text.contains(".tmp"), "it names the place that was asked for: \(outcome.text)")
        #expect(try place.tree() == before)
        #expect(try place.bytes("model/model.safetensors") == weights)
    }

    /// A model is put where a link leads; the link stays.
    @Test func linksAreFollowed() throws {
        let place = try prepared()
        let outcome = try run(
            "mkdir -p models/old && ln -s models/old shop && recblr \(Self.training) -m shop", in: place)
        #expect(outcome.status == 0, "\(outcome.text)")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: place.path("shop")) == "models/old")
        #expect(place.exists("models/old/model.safetensors"))
        #expect(try place.names(in: "models") == ["old"])
    }

    @Test func aNameThatIsTooLongIsKnownBefore() throws {
        let place = try prepared()
        let outcome = try run("recblr \(Self.training) -m \(String(repeating: "x", count: 245))", in: place)
        #expect(outcome.status == 73 && outcome.text.contains("File name too long"), "\(outcome.text)")
        #expect(!outcome.text.contains("Epoch"))
    }

    #if os(Linux)
        private static let canMount: Bool = {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "unshare -m sh -c 'mount -t tmpfs none /mnt' 2>/dev/null"]
            guard (try? process.run()) != nil else { return false }
            process.waitUntilExit()
            return process.terminationStatus == 0
        }()

        /// Mounts `filesystem` at `volume` for the program and a script that looks at it, and nobody else.
        private func mounted(_ filesystem: String, _ script: String, in place: Workplace) throws -> (Int32, String) {
            try place.write(
                "recblr() { \"\(program.path)\" \"$@\"; }\nmount \(filesystem) volume || exit 99\n" + script, "script")
            return try run("mkdir -p volume; unshare -m sh script", in: place)
        }

        /// A mount point, as a volume of a container, cannot be moved: its files are replaced in it.
        @Test(.enabled(if: canMount), arguments: ["-t tmpfs none", "--bind other"])
        func mountPointsAreWrittenInto(filesystem: String) throws {
            let place = try prepared()
            try FileManager.default.createDirectory(atPath: place.path("other"), withIntermediateDirectories: true)
            let script = """
                recblr \(Self.training) -m volume && recblr \(Self.training) -m volume --seed 2 || exit
                recblr inspect volume --verify || exit
                ls -A volume | tr '\\n' ' '; ls -A . | grep -c training
                rm volume/*; recblr prepare log.csv -o volume && recblr prepare log.csv -o volume && ls -A volume | tr '\\n' ' '
                """
            let (status, text) = try mounted(filesystem, script, in: place)
            #expect(status == 0, "\(text)")
            #expect(text.contains("config.json ") && text.contains(" training.jsonl 0\n"), "\(text)")
            #expect(text.hasSuffix("dataset.json items.i32 items.tsv starts.i64 timestamps.i64 users.tsv "), "\(text)")
        }

        /// A crash while the files of a mount point are replaced is noticed, and the next run ends it.
        @Test(.enabled(if: canMount)) func aMixtureIsNoticed() throws {
            let place = try prepared()
            let script = """
                recblr \(Self.training) -m model --seed 2 && recblr \(Self.training) -m volume || exit
                cp model/config.json volume
                recblr recommend volume --history i1 && exit 98
                recblr \(Self.training) -m volume && recblr recommend volume --history i1
                """
            let (status, text) = try mounted("-t tmpfs none", script, in: place)
            #expect(status == 0 && text.contains("it is damaged or from another folder"), "\(text)")
        }

        /// A disk that is really full.
        @Test(.enabled(if: canMount)) func aFullVolume() throws {
            let place = try prepared()
            let script =
                "mkdir volume/m; recblr train data --epochs 1 -m volume/m/model; echo status $?; find volume -type f"
            let (_, text) = try mounted("-t tmpfs -o size=64k none", script, in: place)
            #expect(text.contains("cannot write: No space left on device\nstatus 73\n"), "\(text)")
            #expect(text.hasSuffix("status 73\n"), "\(text)")
        }
    #endif
}
