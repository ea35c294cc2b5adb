import Tensors
import Testing

@testable import ReferenceBackend

/// The random words behind dropout.
@Suite struct PhiloxTests {
    struct Answer: Sendable {
        let counter: SIMD4<UInt32>
        let key: SIMD2<UInt32>
        let words: SIMD4<UInt32>
    }

    /// Known answers of the Random123 distribution (kat_vectors, philox4x32 10).
    static let answers = [
        Answer(
            counter: SIMD4(repeating: 0), key: SIMD2(repeating: 0),
            words: SIMD4(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8)),
        Answer(
            counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max),
            words: SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD)),
        Answer(
            counter: SIMD4(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344), key: SIMD2(0xA409_3822, 0x299F_31D0),
            words: SIMD4(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1)),
    ]

    @Test(arguments: answers)
    func tenRoundsGiveTheKnownAnswers(_ answer: Answer) {
        #expect(Philox(rounds: 10).words(counter: answer.counter, key: answer.key) == answer.words)
    }

    @Test func aMaskIsDrawnWithSevenRounds() { #expect(Philox().rounds == 7) }

    /// Counter and key are laid out as ``Dropout`` says, for columns of every lane and word.
    @Test func everyElementHasItsOwnWord() {
        let rows = backend.indices([9, -1])
        let dropout = Dropout(
            rate: 0.5, seed: 0x1234_5678_9ABC_DEF0, step: 77, place: 5, rowNumbers: rows)
        for (row, number) in [(0, UInt32(9)), (1, UInt32.max)] {
            for column in [0, 1, 15, 16, 31, 47, 48, 63, 64, 80, 127, 200] {
                let counter = SIMD4(UInt32(16 * (column / 64) + column % 16), number, 5, 77)
                let words = Philox().words(counter: counter, key: SIMD2(0x9ABC_DEF0, 0x1234_5678))
                #expect(dropout.word(row: row, column: column) == words[(column % 64) / 16])
            }
        }
        let all = Set((0..<2).flatMap { row in (0..<1000).map { dropout.word(row: row, column: $0) } })
        #expect(all.count == 2000)
    }

    /// About the requested fraction is dropped: 5 standard deviations of 40,000 draws.
    @Test(arguments: [0, 0.2, 0.5] as [Float])
    func theShareOfDroppedElementsIsTheRate(_ rate: Float) {
        let dropout = Dropout(
            rate: rate, seed: 1, step: 2, place: 3, rowNumbers: backend.indices((0..<200).map { $0 }))
        let factors = (0..<200).flatMap { row in (0..<200).map { dropout.factor(row: row, column: $0) } }
        let dropped = Double(factors.count { $0 == 0 })
        let expected = 40_000 * Double(rate)
        #expect(abs(dropped - expected) <= 5 * (expected * (1 - Double(rate))).squareRoot())
        #expect(factors.allSatisfy { $0 == 0 || $0 == Double(1 / (1 - rate)) })
    }
}
