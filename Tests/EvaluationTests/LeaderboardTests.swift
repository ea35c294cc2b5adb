import Identifiers
import Tensors
import Testing

@testable import Evaluation

/// The order of items by scores that change, against sorting anew.
@Suite struct LeaderboardTests {
    @Test(arguments: [1, 7, 3000]) func changesKeepTheOrder(count: Int) {
        var generator = SeededGenerator(seed: 3)
        var board = Leaderboard((0..<count).map { _ in UInt64.random(in: 0...5, using: &generator) })
        for step in 0..<2000 {
            let item = ItemID(row: Int.random(in: 0..<count, using: &generator))
            board[item] = UInt64.random(in: 0...9, using: &generator) * UInt64(step % 3)
            guard step % 50 == 0 else { continue }
            let scores = board.scores
            for score in [0, 1, 5, 18, 19] as [UInt64] {
                #expect(board.count(atLeast: score) == scores.count { $0 >= score })
            }
            let order = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
            #expect(board.best(40) { _ in false } == order.prefix(40).map(ItemID.init(row:)))
            let odd = order.filter { $0 % 2 == 1 }.prefix(5).map(ItemID.init(row:))
            #expect(board.best(5) { $0.row % 2 == 0 } == odd)
        }
    }

    @Test func scoresGoUpAndDown() {
        var board = Leaderboard([0, 2, 2])
        #expect(board.best(3) { _ in false } == [2, 3, 1])
        board[1] += 3
        board[2] = 0
        #expect(board.best(9) { _ in false } == [1, 3, 2] && board[1] == 3)
        #expect(board.count(atLeast: 0) == 3 && board.count(atLeast: 3) == 1 && board.count(atLeast: 4) == 0)
    }
}
