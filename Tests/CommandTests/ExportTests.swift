import Foundation
import Testing

/// `recblr export`. What is in the files, `scripts/check-export.sh` asks the programs that read them.
@Suite struct ExportTests {
    private func shell(_ script: String, in place: Workplace) throws -> (status: Int32, text: String) {
        // Coverage would be cut off by limits as well, and a damaged profile spoils everybody's.
        let outcome = try CommandTests.shell(
            "exec 2>&1; \(script)", in: place, environment: ["LLVM_PROFILE_FILE": "/dev/null"])
        return (outcome.status, outcome.output)
    }

    private func trained(_ options: String = "") throws -> Workplace {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        let training =
            "train data -m model --epochs 1 --threads 1 \(options.contains("hidden") ? "" : "--hidden-size 8") \(options)"
        try #require(try shell("recblr prepare log.csv -o data && recblr \(training)", in: place).status == 0)
        return place
    }

    private func export(_ arguments: String, in place: Workplace) throws -> Outcome {
        try run(["export", "model"] + arguments.split(separator: " ").map(String.init), in: place)
    }

    @Test(arguments: ["", "--mixer lru --transitions", "--mixer attention --attention-window 3", "--recurrence-only"])
    func asONNX(_ options: String) throws {
        let place = try trained(options)
        let outcome = try export("--format onnx --output onnx", in: place)
        #expect(
            outcome.status == 0 && outcome.output.hasSuffix("step.onnx and encode.onnx in onnx\n"), "\(outcome.error)")
        #expect(try place.names(in: "onnx") == ["encode.onnx", "onnx.json", "step.onnx"])
        let about = try #require(
            try JSONSerialization.jsonObject(with: place.bytes("onnx/onnx.json")) as? [String: Any])
        #expect((about["items"] as? [String])?.count == 20)
        let before = try place.bytes("onnx/step.onnx")
        #expect(try export("--format onnx --output onnx", in: place).status == 0)
        #expect(try place.bytes("onnx/step.onnx") == before, "the same model gives the same bytes")
    }

    @Test func asVectorsAndForTheReferenceCode() throws {
        let place = try trained()
        #expect(try export("--format vectors --output v.npy", in: place).status == 0)
        #expect(try place.bytes("v.npy").count == 128 + 4 * 20 * 8)
        #expect(try place.bytes("v.tsv") == place.bytes("data/items.tsv"))
        let reference = try export("--format recbole --output w.safetensors", in: place)
        #expect(reference.status == 0 && reference.error.contains("the repeat-aware head is left out"))
        let imported = try run(
            "import w.safetensors --length 64 -m back".split(separator: " ").map(String.init), in: place)
        #expect(imported.status == 0, "\(imported.error)")
    }

    @Test(arguments: [
        ("--format onnx --output model", 73, "it holds config.json"),
        ("--format onnx --output model/inside", 64, "nothing but the files of its model"),
        ("--format onnx --output log.csv", 73, "expected a folder or nothing"),
        ("--format vectors --output v.bin", 64, "a name that ends in .npy"),
        ("--format vectors --output log.npy", 73, "is there and not from an earlier export"),
        ("--format vectors --output data/v.npy", 64, "nothing but the files of its dataset"),
        ("--format recbole --output model", 73, "something else than a file"),
        ("--format tar --output x", 64, "'onnx', 'vectors'"),
    ])
    func refused(_ arguments: String, _ status: Int32, _ words: String) throws {
        let place = try trained()
        try place.write("mine", "log.tsv")
        let before = try place.tree()
        let outcome = try export(arguments, in: place)
        #expect(outcome.status == status && outcome.error.contains(words), "\(outcome.status) \(outcome.error)")
        #expect(try place.tree() == before)
    }

    @Test func theReferenceCodeHasNoOtherMixer() throws {
        let place = try trained("--mixer lru")
        let outcome = try export("--format recbole --output w.safetensors", in: place)
        #expect(outcome.status == 64 && outcome.error.contains("no such model: its mixer is lru"), "\(outcome.error)")
        #expect(!place.exists("w.safetensors"))
    }

    /// Files may not grow beyond a limit, as on a disk that is full: what was there stays, and nothing else is left.
    @Test(arguments: [("onnx", "out"), ("vectors", "out.npy"), ("recbole", "out.safetensors")])
    func aFullDiskLeavesTheOld(_ format: String, _ output: String) throws {
        let place = try trained("--hidden-size 32")
        try #require(try export("--format \(format) --output \(output)", in: place).status == 0)
        let before = try place.tree()
        let bytes = try place.bytes(format == "onnx" ? "out/step.onnx" : output)
        let outcome = try shell(
            "trap '' XFSZ; ulimit -f 2; recblr export model --format \(format) --output \(output)", in: place)
        #expect(outcome.status == 73 && outcome.text.contains("File too large"), "\(outcome.text)")
        #expect(!outcome.text.contains(".tmp"), "it names the place that was asked for: \(outcome.text)")
        #expect(try place.tree() == before)
        #expect(try place.bytes(format == "onnx" ? "out/step.onnx" : output) == bytes)
    }

    @Test func aDamagedModelIsRefused() throws {
        let place = try trained()
        var weights = try place.bytes("model/model.safetensors")
        weights[weights.count - 5] ^= 1
        try weights.write(to: place.url.appendingPathComponent("model/model.safetensors"))
        for arguments in ["--format onnx --output o", "--format vectors --output v.npy", "--format recbole --output w"]
        {
            #expect(try export(arguments, in: place).status == 65)
        }
        #expect(try place.names().filter { ["o", "v.npy", "v.tsv", "w"].contains($0) }.isEmpty)
    }
}
