import Tensors

/// Numbers of tokens around the widths of vectors and tiles.
package let lengths = [1, 2, 3, 5, 7, 15, 16, 17, 31, 63, 64, 65, 127, 200, 1000]
/// Numbers of features.
package let widths = [1, 3, 8, 16, 17, 33, 64, 100, 128, 256]
/// Numbers of table rows.
let tableSizes = [1, 2, 21, 101, 3417]

/// A number of rows and of columns, and a number to choose options by.
struct Shape {
    let rows, columns, options: Int

    /// Whether option `number` is on: every option is on in half of the shapes, each in another half.
    func has(_ number: Int) -> Bool { (options * 0x9E3779B1) >> (7 + 3 * number) & 1 == 1 }
}

/// Pairs in which every length and every width occurs more than once, none larger than `budget` elements, and one
/// small shape sixteen times over for its options.
func shapes(budget: Int = 8_000) -> [Shape] {
    var pairs: [(Int, Int)] = []
    for (i, length) in lengths.enumerated() {
        for width in [widths[i % widths.count], widths[(7 * i + 3) % widths.count]] {
            pairs.append((length, length * width <= budget ? width : widths.last { length * $0 <= budget } ?? 1))
        }
    }
    for (j, width) in widths.enumerated() { pairs.append(([5, 17, 65][j % 3], width)) }
    pairs += [(Int, Int)](repeating: (7, 21), count: 16)
    return pairs.enumerated().map { Shape(rows: $1.0, columns: $1.1, options: $0) }
}

/// The first `count` bits of a number: every way to switch `count` options.
func combinations(_ count: Int) -> [[Bool]] {
    (0..<1 << count).map { bits in (0..<count).map { bits >> $0 & 1 == 1 } }
}

/// How the rows of a packed batch are divided into sequences.
package enum Division: Sendable {
    case oneSequence
    /// One long sequence somewhere, many of one row, the rest short; perhaps one has no row at all.
    case random(withEmpty: Bool)
    case starts([Int32])

    /// Sequences of one row at both ends and between longer ones, and one without rows: 10 rows.
    static let small = starts([0, 1, 4, 4, 5, 9, 10])

    /// Sequences of one length.
    package static func equal(_ sequences: Int, of length: Int) -> Division {
        .starts((0...sequences).map { Int32($0 * length) })
    }
}

extension Arguments {
    func starts(_ division: Division, rows: Int) -> Indices {
        switch division {
        case .oneSequence: indices("starts", [0, Int32(rows)])
        case .starts(let starts): indices("starts", starts)
        case .random(let withEmpty): indices("starts", randomStarts(rows, withEmpty: withEmpty))
        }
    }

    func randomStarts(_ count: Int, withEmpty: Bool) -> [Int32] {
        var lengths = [max(1, count / 2)]
        var left = count - lengths[0]
        while left > 0 {
            let length = min(left, integer(in: 0...1) == 0 ? 1 : integer(in: 2...9))
            lengths.insert(length, at: integer(in: 0...lengths.count))
            left -= length
        }
        if withEmpty { lengths.insert(0, at: lengths.count / 2) }
        return lengths.reduce(into: [0]) { $0.append($0.last! + Int32($1)) }
    }
}
