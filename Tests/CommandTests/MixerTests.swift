import Foundation
import Testing

/// The other mixers from log to answer.
@Suite struct MixerTests {
    private func prepared() throws -> Workplace {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        try #require(try command("prepare log.csv -o data", in: place).status == 0)
        return place
    }

    private func command(_ line: String, in place: Workplace, _ environment: [String: String]? = nil) throws -> Outcome
    {
        let arguments = line.split(separator: " ").map(String.init)
        guard let environment else { return try run(arguments, in: place) }
        return try run(arguments, in: place, environment: environment)
    }

    private let training = "train data -m model --epochs 2 --hidden-size 8 --threads 2"

    @Test(arguments: [
        ("lru", "D 8, L 2, E 2, LRU", 2 * 16),
        ("attention --attention-window 6", "D 8, L 2, attention over 6 events", 2 * 80),
    ])
    func trainedInspectedEvaluatedAndAsked(mixer: String, shape: String, stateSize: Int) throws {
        let place = try prepared()
        let trained = try command("\(training) --mixer \(mixer)", in: place)
        #expect(trained.status == 0, "\(trained.error)")
        let inspected = try command("inspect model --verify", in: place)
        #expect(inspected.output.contains(shape))
        #expect(inspected.output.contains("\nState     \(4 * stateSize) bytes per user\n"))
        let evaluated = try command("evaluate model data", in: place)
        #expect(evaluated.status == 0, "\(evaluated.error)")
        #expect(evaluated.output.contains(mixer.hasPrefix("lru") ? "LRU, masked" : "Attention, masked"))
        let answer = try command("recommend model --history i1,i2 -k 3 --json", in: place)
        #expect(answer.status == 0, "\(answer.error)")
    }

    @Test func besideEachOther() throws {
        let place = try prepared()
        let outcome = try command("experiment mixers data -o out --epochs 1 --threads 1", in: place)
        #expect(outcome.status == 0, "\(outcome.error)")
        let table = String(decoding: try place.bytes("out/table.md"), as: UTF8.self)
        for name in ["| BD-LRU ", "| LRU ", "| Attention "] { #expect(table.contains(name), "\(table)") }
    }

    @Test(.enabled(if: isEmulated)) func attentionIsRefusedOnAGPU() throws {
        let place = try prepared()
        let refused = try command("\(training) --mixer attention --device cuda", in: place, emulated())
        #expect(refused.status == 64, "\(refused.error)")
        #expect(refused.error.contains("there is no attention on CUDA Emulated GPU 0 tf32: this model needs a CPU\n"))
        #expect(try place.names() == [".cache", "data", "log.csv"])
        try #require(try command("\(training) --mixer attention --device cpu", in: place).status == 0)
        let evaluated = try command("evaluate model data --device cuda", in: place, emulated())
        #expect(
            evaluated.status == 65 && evaluated.error.contains("there is no attention on CUDA"), "\(evaluated.error)")
    }
}
