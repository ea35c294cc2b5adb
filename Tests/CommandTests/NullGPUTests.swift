import EmulatedGPU
import Foundation
import Testing

/// Training and evaluation on a GPU that computes nothing and whose memory ends a program that touches it (Tests/NullGPU): the host never does.
@Suite(.enabled("the null GPU needs Linux and a C compiler") { TestGPU.nullFolder != nil }) struct NullGPUTests {
    private let place: Workplace

    init() throws {
        place = try Workplace()
        try place.write(walks(), "log.csv")
        try #require(try command("prepare log.csv -o data").status == 0)
    }

    private func command(_ line: String) throws -> Outcome {
        try run(
            line.split(separator: " ").map(String.init), in: place,
            environment: ["RECBLR_CUDA_PATH": TestGPU.nullFolder!])
    }

    private static let training = "train data -m model --epochs 2 --batch-tokens 128 --hidden-size 16"

    @Test(arguments: [
        "", "--loss sampled --negatives 7", "--loss bpr --no-repeat-aware", "--objective last-position",
        "--no-repeat-aware --precision float32", "--clip-norm 0.5 --weight-decay 0.1", "--max-length 5", "--mixer lru",
    ]) func training(options: String) throws {
        let outcome = try command("\(Self.training) --device cuda \(options)")
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(outcome.error.contains("loss 0.0000"), "nothing was computed")
    }

    /// A model from the processor: of what a device has computed that computes nothing, metrics cannot be.
    @Test func evaluation() throws {
        try #require(try command("\(Self.training) --device cpu").status == 0)
        let outcome = try command("evaluate model data --device cuda")
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(outcome.output.contains("1.0000   1.0000"), "no item was found to be better than any target")
    }
}
