import CPUBackend
import FileSupport
import Foundation
import Identifiers
import Layers
import ModelStore
import Models
import Tensors
import Testing

@Suite struct ModelFolderTests {
    let parent: URL
    var folder: URL { parent.appendingPathComponent("model") }

    init() throws {
        parent = FileManager.default.temporaryDirectory.appendingPathComponent("recblr-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    }

    private func tidy() { try? FileManager.default.removeItem(at: parent) }

    private static let items = Vocabulary(ids: ["a", "b\t", "c"], titles: ["A title", "", "line\nbreak \\"])!

    private func model(_ change: (inout ModelConfiguration) -> Void = { _ in }) throws -> SequenceModel {
        var shape = ModelConfiguration(itemCount: 3)
        shape.hiddenSize = 4
        change(&shape)
        return try SequenceModel(initializing: shape, seed: 5, on: CPUBackend())
    }

    private func edit(_ name: String, _ change: (String) -> String) throws {
        let url = folder.appendingPathComponent(name)
        try Data(change(String(decoding: try Data(contentsOf: url), as: UTF8.self)).utf8).write(to: url)
    }

    @Test func savedIsLoadedBitForBit() throws {
        defer { tidy() }
        for change in [
            { _ in }, { $0.mixer = .lru }, { ($0.mixer, $0.attentionWindow) = (.attention, 9) },
            { $0.block = .recurrenceOnly }, { $0.feedForward = false },
            {
                $0.convolutionWidth = 0; $0.warmupSteps = 9
            },
        ] as [(inout ModelConfiguration) -> Void] {
            let model = try model(change)
            try ModelFolder.write(model, items: Self.items, trainingRecord: Array("{}".utf8), to: folder)
            let opened = try ModelFolder.open(folder)
            #expect(opened.configuration == model.configuration && opened.items == Self.items)
            #expect(opened.trainingRecord == Array("{}".utf8))
            let loaded = try opened.model(on: CPUBackend())
            #expect(
                loaded.backend.download(loaded.weights.flat).map(\.bitPattern)
                    == model.backend.download(model.weights.flat).map(\.bitPattern))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: parent.path) == ["model"], "nothing else is left")
    }

    @Test func popularityIsPartOfTheModel() throws {
        defer { tidy() }
        let counts = Self.items.ids.indices.map { $0 * 1_000_000_007 }
        try ModelFolder.write(try model(), items: Self.items, popularity: counts, trainingRecord: nil, to: folder)
        #expect(try ModelFolder.open(folder).popularity == counts)
        let file = folder.appendingPathComponent(ModelFolder.File.popularity)
        let good = try Data(contentsOf: file)
        for (bytes, message) in [
            (good.dropLast(), "bytes, expected \(good.count)"), (good.dropLast() + [0x80], "a count is out of range"),
        ] {
            try bytes.write(to: file)
            try makeChecksumsFit()
            let error = #expect(throws: ModelFileError.self) { try ModelFolder.open(folder) }
            #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
        }
        try ModelFolder.write(try model(), items: Self.items, trainingRecord: nil, to: folder)
        #expect(try ModelFolder.open(folder).popularity == nil, "as in a model of version 0.3.0")
    }

    /// The report comes and goes with the model.
    @Test func aReportIsPartOfTheModel() throws {
        defer { tidy() }
        let report = folder.appendingPathComponent("report.html")
        for text in ["one", "two", nil] {
            try ModelFolder.write(try model(), items: Self.items, trainingRecord: nil, report: text, to: folder)
            #expect((try? String(contentsOf: report, encoding: .utf8)) == text)
            _ = try ModelFolder.open(folder)
        }
    }

    @Test func aFolderThatIsNoModelIsNotReplaced() throws {
        defer { tidy() }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data("precious".utf8).write(to: folder.appendingPathComponent("thesis.txt"))
        #expect(throws: ModelFileError.self) {
            try ModelFolder.write(try model(), items: Self.items, trainingRecord: nil, to: folder)
        }
        #expect(try Data(contentsOf: folder.appendingPathComponent("thesis.txt")) == Data("precious".utf8))
    }

    @Test(arguments: [
        ("\"hiddenSize\" : 4", "\"hiddenSize\" : 5", "its checksum does not fit"),
        ("\"hiddenSize\" : 4", "\"hiddenSize\" : 0", "hiddenSize is 0; it must lie in 1 ... 4096"),
        ("\"hiddenSize\" : 4", "\"hiddenSize\" : \"x\"", "the value of hiddenSize is not of the right kind"),
        ("\"hiddenSize\" : 4", "\"size\" : 4", "unknown key size"),
        ("\"hiddenSize\" : 4,", "", "the key hiddenSize is missing"),
        (
            "\"format\" : 3", "\"format\" : 4", "expected \"format\": 1, 2 or 3; a newer program may have written it"
        ),
        (
            "\"warmupSteps\" : 0", "\"warmupSteps\" : 1",
            "it is not as it was written: its checksum does not fit"
        ),
        ("\"block\" : \"full\"", "\"block\" : \"half\"", "the value of block is not of the right kind"),
        ("\"itemCount\" : 3", "\"itemCount\" : 4", "its checksum does not fit"),
        ("{", "", "expected a JSON object"),
    ])
    func wrongConfigurationsAreNamed(old: String, new: String, message: String) throws {
        defer { tidy() }
        try ModelFolder.write(try model(), items: Self.items, trainingRecord: nil, to: folder)
        try edit("config.json") { $0.replacingOccurrences(of: old, with: new) }
        let error = #expect(throws: ModelFileError.self) { _ = try ModelFolder.open(folder).model(on: CPUBackend()) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func weightsMustBeThereWholeFiniteAndAlone() throws {
        defer { tidy() }
        let model = try model()
        try ModelFolder.write(model, items: Self.items, trainingRecord: nil, to: folder)
        let file = folder.appendingPathComponent("model.safetensors")
        let good = namedWeights(model)
        func expect(_ tensors: [SafeTensors.Named], _ message: String) throws {
            try SafeTensors.write(tensors, to: file)
            try makeChecksumsFit()
            let error = #expect(throws: ModelFileError.self) {
                _ = try ModelFolder.open(folder).model(on: CPUBackend())
            }
            #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
        }
        try expect(Array(good.dropFirst()), "there is no tensor item_embedding")
        try expect(good + [.init(name: "z", shape: [1], values: .floats([1]))], "tensor z belongs to no part")
        var damaged = good
        damaged[1] = .init(name: good[1].name, shape: [4], values: .floats([1, 2, .nan, 4]))
        try expect(damaged, "embedding_norm.scale holds a value that is not finite")
        damaged[1] = .init(name: good[1].name, shape: [2, 2], values: .floats([1, 2, 3, 4]))
        try expect(damaged, "embedding_norm.scale has shape [2, 2], the configuration wants [4]")
    }

    private func makeChecksumsFit(format: Int = 3, formerField: Bool = false) throws {
        let url = folder.appendingPathComponent("config.json")
        var object = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as! [String: Any]
        try FileManager.default.removeItem(at: url)
        let checksums = try JSONEncoder().encode(FileChecksums(ofFilesIn: folder))
        object["files"] = format == 1 ? nil : try JSONSerialization.jsonObject(with: checksums)
        object["checksum"] = format == 1 ? nil : SealedJSON.placeholder
        object["format"] = format
        if formerField { object["paddingInSoftmax"] = true }
        try writeFile(SealedJSON.seal(JSONSerialization.data(withJSONObject: object)), to: url)
    }

    /// Weights of another model of the same shape, another record, other items: not what the folder was written with.
    @Test(arguments: ["model.safetensors", "training.json", "items.tsv"])
    func filesOfAnotherModelAreRefused(name: String) throws {
        defer { tidy() }
        let other = parent.appendingPathComponent("other")
        for (url, seed, word) in [(folder, UInt64(1), "a"), (other, 2, "b")] {
            let model = try SequenceModel(initializing: try model().configuration, seed: seed, on: CPUBackend())
            let items = try #require(Vocabulary(ids: ["x", "y", word]))
            try ModelFolder.write(
                model, items: items, trainingRecord: Array("{\"\(word)\": 1}".utf8), to: url)
        }
        let file = folder.appendingPathComponent(name)
        try FileManager.default.removeItem(at: file)
        try FileManager.default.copyItem(at: other.appendingPathComponent(name), to: file)
        let error = #expect(throws: ModelFileError.self) {
            _ = try ModelFolder.open(folder).model(on: CPUBackend())
        }
        #expect(
            error?.description.contains("\(name): cannot use: its checksum is") == true,
            "\(error?.description ?? "")")
        try FileManager.default.removeItem(at: file)
        #expect(throws: ModelFileError.self) { _ = try ModelFolder.open(folder) }
    }

    /// Models of version 0.3.0 have no checksums: they open, and are told apart.
    @Test func modelsWithoutChecksumsOpen() throws {
        defer { tidy() }
        try ModelFolder.write(try model(), items: Self.items, trainingRecord: nil, to: folder)
        #expect(
            try ModelFolder.open(folder).checksums?.keys.sorted() == ["items.tsv", "model.safetensors"])
        try makeChecksumsFit(format: 1)
        let opened = try ModelFolder.open(folder)
        let configuration = try model().configuration
        #expect(opened.checksums == nil && opened.configuration == configuration)
        _ = try opened.model(on: CPUBackend())
        try ModelFolder.write(try model(), items: Self.items, trainingRecord: nil, to: folder)
        #expect(try ModelFolder.open(folder).checksums != nil, "replacing it is no trouble")
    }

    /// Models of version 0.4.0 say whether training put the padding item into the softmax, which means nothing to those who ask them.
    @Test func aFormerFieldIsPassedOver() throws {
        defer { tidy() }
        try ModelFolder.write(try model(), items: Self.items, trainingRecord: nil, to: folder)
        try makeChecksumsFit(format: 2, formerField: true)
        #expect(try ModelFolder.open(folder).configuration == (try model().configuration))
        try makeChecksumsFit(format: 3, formerField: true)
        #expect(throws: ModelFileError.self) { _ = try ModelFolder.open(folder) }
    }

    /// Fields that came later may be absent: such a model is what it was.
    @Test func modelsOfEarlierProgramsOpen() throws {
        defer { tidy() }
        try ModelFolder.write(try model(), items: Self.items, trainingRecord: nil, to: folder)
        let url = folder.appendingPathComponent("config.json")
        var object = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as! [String: Any]
        for later in ["mixer", "attentionWindow", "repeatAware", "transitions"] {
            #expect(object.removeValue(forKey: later) != nil)
        }
        try JSONSerialization.data(withJSONObject: object).write(to: url)
        try makeChecksumsFit()
        #expect(try ModelFolder.open(folder).configuration == model().configuration)
    }

    /// A model that was opened stays whole when its folder is replaced before its weights are read.
    @Test func anOpenModelOutlivesItsReplacement() throws {
        defer { tidy() }
        let model = try model()
        try ModelFolder.write(model, items: Self.items, trainingRecord: nil, to: folder)
        let opened = try ModelFolder.open(folder)
        let next = try SequenceModel(initializing: model.configuration, seed: 6, on: CPUBackend())
        try ModelFolder.write(next, items: Self.items, trainingRecord: nil, to: folder)
        let loaded = try opened.model(on: CPUBackend())
        #expect(
            loaded.backend.download(loaded.weights.flat) == model.backend.download(model.weights.flat))
    }

    /// Any byte of config.json changed: an error or a configuration that is valid.
    @Test func damagedConfigurationsNeverTrap() throws {
        defer { tidy() }
        try ModelFolder.write(try model(), items: Self.items, trainingRecord: nil, to: folder)
        let url = folder.appendingPathComponent("config.json")
        let good = [UInt8](try Data(contentsOf: url))
        var generator = SeededGenerator(seed: 8)
        var valid = 0
        for _ in 0..<1500 {
            var bytes = good
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                in: 0...255, using: &generator)
            if bytes == good { continue }
            try Data(bytes).write(to: url)
            #expect(throws: ModelFileError.self) { _ = try ModelFolder.open(folder) }
            try Data(SealedJSON.seal(bytes)).write(to: url)
            do throws(ModelFileError) {
                let configuration = try ModelFolder.open(folder).configuration
                #expect(throws: Never.self) { try configuration.validate() }
                valid += 1
            } catch { #expect(error.description.hasPrefix(folder.path)) }
        }
        #expect(valid > 20 && valid < 1000, "\(valid) of 1500")
    }
}

@Suite struct ReferenceCheckpointTests {
    private let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/reference")

    @Test(arguments: [
        ("recblr-d8-T8-nopad", 20, 8, 2), ("recblr-d16-T6-pad2", 39, 16, 1), ("recblr-d64-T50-pad14", 100, 64, 2),
    ])
    func theShapeIsReadFromTheWeights(name: String, items: Int, hiddenSize: Int, layers: Int) throws {
        let url = fixtures.appendingPathComponent(name + ".safetensors")
        let checkpoint = try ReferenceCheckpoint(url, warmupSteps: 3)
        var expected = ModelConfiguration(itemCount: items)
        expected.hiddenSize = hiddenSize
        expected.layerCount = layers
        expected.warmupSteps = 3
        #expect(checkpoint.configuration == expected)

        let model = try checkpoint.model(on: CPUBackend())
        let theirs = try SafeTensors(url).floats("param.recurrent_layers.0.behavior_modeling.conv1d.weight")
        let ours = model.backend.download(try #require(model.weights[named: "layers.0.convolution.weight"]))
        let width = expected.recurrenceSize
        for tap in 0..<4 {
            for channel in 0..<width { #expect(ours[tap * width + channel] == theirs[channel * 4 + tap]) }
        }
    }

    @Test func warmUpIsThePaddingToAPowerOfTwo() {
        for (length, steps) in [(200, 56), (50, 14), (64, 0), (1, 0), (3, 1), (257, 255)] {
            #expect(ReferenceCheckpoint.warmupSteps(sequenceLength: length) == steps)
        }
    }

    /// The ablations of the paper's Table 3, with their names and without the prefix.
    @Test func ablationsAreRecognised() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("recblr-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        let changes: [(inout ModelConfiguration) -> Void] = [
            { $0.convolutionWidth = 0 }, { $0.feedForward = false }, { $0.layerCount = 1 },
            {
                $0.block = .recurrenceOnly
                $0.expansion = 1
                $0.convolutionWidth = 0
            },
        ]
        for change in changes {
            var shape = ModelConfiguration(itemCount: 7)
            shape.hiddenSize = 4
            change(&shape)
            let model = try SequenceModel(initializing: shape, seed: 1, on: CPUBackend())
            let tensors = model.weights.layout.entries.map { entry in
                let isConvolution = entry.name.hasSuffix("convolution.weight")
                return SafeTensors.Named(
                    name: theirName(of: entry.name),
                    shape: isConvolution ? [entry.columns, 1, entry.rows] : entry.shape,
                    values: .floats(model.backend.download(model.weights[entry])))
            }
            try SafeTensors.write(tensors, to: url)
            let checkpoint = try ReferenceCheckpoint(url, warmupSteps: 0)
            #expect(checkpoint.configuration == shape)
            try SafeTensors.write(Array(tensors.dropLast()), to: url)
            #expect(throws: ModelFileError.self) { _ = try ReferenceCheckpoint(url, warmupSteps: 0) }
        }
    }

    /// Layers that contradict each other and tensors that nothing needs are named, not skipped.
    @Test func contradictionsAndLeftoversAreNamed() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(
            "recblr-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        let source = try SafeTensors(fixtures.appendingPathComponent("recblr-d8-T8-nopad.safetensors"))
        func expect(_ message: String, _ change: (inout [String: [Int]]) -> Void) throws {
            var shapes = source.entries.filter { $0.key.hasPrefix("param.") }.mapValues(\.shape)
            change(&shapes)
            let tensors = shapes.sorted { $0.key < $1.key }.map { name, shape in
                let zeros = [Float](repeating: 0, count: shape.reduce(1, *))
                return SafeTensors.Named(name: name, shape: shape, values: .floats(zeros))
            }
            try SafeTensors.write(tensors, to: url)
            let error = #expect(throws: ModelFileError.self) {
                _ = try ReferenceCheckpoint(url, warmupSteps: 0)
            }
            #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
        }
        let convolution = "recurrent_layers.0.behavior_modeling.conv1d.weight"
        try expect("\(convolution) of shape [16, 4]") {
            $0["param.recurrent_layers.0.behavior_modeling.conv1d.weight"] = [16, 4]
        }
        try expect(
            "recurrent_layers.1.behavior_modeling.conv1d.weight has shape [16, 4], the others call for [16, 1, 4]"
        ) {
            $0["param.recurrent_layers.1.behavior_modeling.conv1d.weight"] = [16, 4]
        }
        try expect("there is no tensor recurrent_layers.1.ffn.w_1.weight") {
            $0["param.recurrent_layers.1.ffn.w_1.weight"] = nil
        }
        try expect("recurrent_layers.0.ffn.w_1.bias") {
            $0["param.recurrent_layers.0.ffn.w_1.weight"] = nil
        }
        try expect("extra of shape [2] would be left over") { $0["param.extra"] = [2] }
        try expect("recurrent_layers.3.behavior_modeling.Lambda of shape [16]") {
            $0["param.recurrent_layers.3.behavior_modeling.Lambda"] = [16]
        }
        try expect("layer_norm.weight has shape [1, 8], the others call for [8]") {
            $0["param.layer_norm.weight"] = [1, 8]
        }
    }

    /// The documented name map, written down once more.
    private func theirName(of name: String) -> String {
        var result = name.replacingOccurrences(of: "layers.", with: "recurrent_layers.")
        for (ours, theirs) in [
            ("item_embedding", "item_embedding.weight"), ("embedding_norm", "layer_norm"),
            ("feed_forward_norm", "ffn.layer_norm"), ("recurrent_norm", "layer_norm"), ("scale", "weight"),
            ("shift", "bias"), ("input_projection", "behavior_modeling.input.weight"),
            ("output_projection", "behavior_modeling.output.weight"), ("convolution", "behavior_modeling.conv1d"),
            ("gates", "behavior_modeling.gates"), ("decay", "behavior_modeling.Lambda"),
            ("feed_forward.inner", "ffn.w_1"), ("feed_forward.outer", "ffn.w_2"),
        ] { result = result.replacingOccurrences(of: ours, with: theirs) }
        return result
    }

    @Test func otherFilesAreRefused() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("recblr-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        try SafeTensors.write([.init(name: "a", shape: [1], values: .floats([1]))], to: url)
        #expect(
            throws: ModelFileError.malformed(
                path: url.path, reason: "there is no tensor item_embedding.weight of 2 dimensions")
        ) { _ = try ReferenceCheckpoint(url, warmupSteps: 0) }
    }
}
