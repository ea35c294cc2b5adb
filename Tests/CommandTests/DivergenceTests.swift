import Foundation
import Testing

/// A training whose numbers are not finite any more leaves no model, whether its losses, its validation or only its last weights
/// show it.
@Suite struct DivergenceTests {
    private static let sentence = "its numbers are not finite any more in epoch 1"
    private static let advice = "train with a lower --learning-rate or with --clip-norm 1"

    /// Each step multiplies the weights by -97: from the fifth or so on nothing is finite, which the last step's loss, computed
    /// before it, does not show.
    @Test(arguments: ["none", "leave-one-out"], [100, 140, 170, 210, 280, 420])
    func noModelIsLeft(split: String, batchTokens: Int) throws {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        try #require(try run(["prepare", "log.csv", "-o", "data"], in: place).status == 0)
        let line =
            "train data -m model --epochs 1 --hidden-size 8 --threads 1 --learning-rate 9.9 --weight-decay 9.9 "
            + "--schedule constant --warmup-steps 0 --split \(split) --batch-tokens \(batchTokens)"
        let outcome = try run(line.split(separator: " ").map(String.init), in: place)
        if outcome.status == 0 {
            #expect(batchTokens > 140, "\(outcome.error)")
            #expect(try run(["recommend", "model", "--history", "i1"], in: place).status == 0)
        } else {
            #expect(outcome.status == 65 && outcome.error.contains(Self.sentence), "\(outcome.error)")
            #expect(outcome.error.contains(Self.advice) && outcome.output.isEmpty, "\(outcome.error)")
            #expect(!place.exists("model"))
        }
    }
}
