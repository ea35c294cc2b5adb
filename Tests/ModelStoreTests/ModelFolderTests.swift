import CPUBackend
import FileSupport
import Foundation
import ModelStore
import RecBLR
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

    private func model(_ change: (inout Configuration) -> Void = { _ in }) throws -> Model {
        var shape = Configuration(itemCount: 3)
        shape.hiddenSize = 4
        change(&shape)
        return try Model(initializing: shape, seed: 5, on: CPUBackend())
    }

    private func edit(_ name: String, _ change: (String) -> String) throws {
        let url = folder.appendingPathComponent(name)
        try Data(change(String(decoding: try Data(contentsOf: url), as: UTF8.self)).utf8).write(to: url)
    }

    @Test func savedIsLoadedBitForBit() throws {
        defer { tidy() }
        for change in [
            { _ in }, { $0.block = .recurrenceOnly }, { $0.feedForward = false },
            {
                $0.convolutionWidth = 0; $0.warmupSteps = 9; $0.paddingInSoftmax = true
            },
        ] as [(inout Configuration) -> Void] {
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
            (good.dropLast(), "bytes, expected \(good.count)"), (good.dropLast() + [0x80], "a count is negative"),
        ] {
            try bytes.write(to: file)
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
        ("\"hiddenSize\" : 4", "\"hiddenSize\" : 5", "model.safetensors"),
        ("\"hiddenSize\" : 4", "\"hiddenSize\" : 0", "hiddenSize is 0; it must lie in 1 ... 4096"),
        ("\"hiddenSize\" : 4", "\"hiddenSize\" : \"x\"", "the value of hiddenSize is not of the right kind"),
        ("\"hiddenSize\" : 4", "\"size\" : 4", "unknown key size"),
        ("\"hiddenSize\" : 4,", "", "the key hiddenSize is missing"),
        ("\"format\" : 1", "\"format\" : 2", "expected \"format\": 1; a newer program may have written it"),
        ("\"block\" : \"full\"", "\"block\" : \"half\"", "the value of block is not of the right kind"),
        ("\"itemCount\" : 3", "\"itemCount\" : 4", "3 items, but the model was made for 4"),
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
        let good = namedWeights(model.weights, on: model.backend)
        func expect(_ tensors: [SafeTensors.Named], _ message: String) throws {
            try SafeTensors.write(tensors, to: file)
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

    /// Any byte of config.json changed: an error or a configuration that is valid.
    @Test func damagedConfigurationsNeverTrap() throws {
        defer { tidy() }
        try ModelFolder.write(try model(), items: Self.items, trainingRecord: nil, to: folder)
        let url = folder.appendingPathComponent("config.json")
        let good = [UInt8](try Data(contentsOf: url))
        var generator = SeededGenerator(seed: 8)
        for _ in 0..<1500 {
            var bytes = good
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            try Data(bytes).write(to: url)
            if let opened = try? ModelFolder.open(folder) { try opened.configuration.validate() }
        }
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
        var expected = Configuration(itemCount: items)
        expected.hiddenSize = hiddenSize
        expected.layerCount = layers
        expected.warmupSteps = 3
        expected.paddingInSoftmax = true
        #expect(checkpoint.configuration == expected)

        let model = try checkpoint.model(on: CPUBackend())
        let theirs = try SafeTensors(url).floats("param.recurrent_layers.0.behavior_modeling.conv1d.weight")
        let ours = model.backend.download(try #require(model.weights.tensor(named: "layers.0.convolution.weight")))
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
        let changes: [(inout Configuration) -> Void] = [
            { $0.convolutionWidth = 0 }, { $0.feedForward = false }, { $0.layerCount = 1 },
            {
                $0.block = .recurrenceOnly
                $0.expansion = 1
                $0.convolutionWidth = 0
            },
        ]
        for change in changes {
            var shape = Configuration(itemCount: 7)
            shape.hiddenSize = 4
            shape.paddingInSoftmax = true
            change(&shape)
            let model = try Model(initializing: shape, seed: 1, on: CPUBackend())
            let tensors = model.weights.layout.entries.map { entry in
                let isConvolution = entry.name.hasSuffix("convolution.weight")
                return SafeTensors.Named(
                    name: theirName(of: entry.name),
                    shape: isConvolution ? [entry.columns, 1, entry.rows] : entry.shape,
                    values: .floats(model.backend.download(model.weights.tensor(entry))))
            }
            try SafeTensors.write(tensors, to: url)
            let checkpoint = try ReferenceCheckpoint(url, warmupSteps: 0)
            #expect(checkpoint.configuration == shape)
            try SafeTensors.write(Array(tensors.dropLast()), to: url)
            #expect(throws: ModelFileError.self) { _ = try ReferenceCheckpoint(url, warmupSteps: 0) }
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
