import FileSupport
import Foundation
import Identifiers
import Interactions

/// Requests for the histories in a file, one on each line. The form of lines is inferred from the first thousand.
final class HistoryFile: RequestSource {
    private let parser: HistoryLineParser
    private let batchSize: Int
    private var reader: LineReader
    /// Lines that were read to infer the form.
    private var waiting: ArraySlice<PackedLines>
    /// Blank lines that count only if another line follows.
    private var blankLines: [Int] = []

    init(
        _ url: URL, _ items: Vocabulary, _ start: RequestOptions.LineStart?, isWithTime: Bool, batchSize: Int
    ) throws {
        var reader = try LineReader(url)
        var (pieces, blank): ([PackedLines], [Int]) = ([], [])
        var (count, bytes) = (0, 0)
        while count < 1000, bytes < 4 << 20 {
            let lines = try Self.piece(&reader, &blank, batchSize)
            if lines.isEmpty { break }
            pieces.append(lines)
            (count, bytes) = (count + lines.count, bytes + lines.bytes.count)
        }
        guard !pieces.isEmpty else {
            throw DatasetError.malformed(path: inputName(url), reason: "there is no history in it")
        }
        let name = inputName(url)
        let (form, why) = HistoryForm.of(pieces, items, start)
        if let why { printError("recblr: note: \(name): \(why)") }
        parser = HistoryLineParser(form: form, items: items, isWithTime: isWithTime, path: name)
        (waiting, blankLines) = (pieces[...], blank)
        self.batchSize = batchSize
        self.reader = consume reader
    }

    func next() throws -> RequestBatch? {
        if let first = waiting.popFirst() { return .lines(first) }
        let lines = try Self.piece(&reader, &blankLines, batchSize)
        return lines.isEmpty ? nil : .lines(lines)
    }

    private static func piece(
        _ reader: inout LineReader, _ blankLines: inout [Int], _ size: Int
    ) throws -> PackedLines {
        var lines = PackedLines()
        while !lines.isFull(at: size), let line = try reader.next() {
            if line.allSatisfy(isBlank) {
                blankLines.append(reader.lineNumber)
                continue
            }
            for number in blankLines { lines.append(UnsafeRawBufferPointer(start: nil, count: 0), number: number) }
            blankLines = []
            lines.append(line, number: reader.lineNumber)
        }
        return lines
    }

    var parse: @Sendable (RequestBatch) throws -> [Request] {
        { [parser] piece in
            guard case .lines(let lines) = piece else { return [] }
            var requests: [Request] = []
            try lines.forEach { line, number in
                if let request = try parser.request(line, number) { requests.append(request) }
            }
            return requests
        }
    }

    var fractionRead: Double { reader.fractionRead }
    var subjectColumn: String { if case .items = parser.form { "line" } else { "user" } }
}

/// The form of the lines of a file of histories.
enum HistoryForm: Sendable {
    /// `{"user": "42", "history": ["a", "b"]}` or `["a", "b"]`.
    case json
    /// Items separated by blanks or commas.
    case items
    /// The same with a user first, as in `prepare`'s sequences.
    case userAndItems

    /// Infers the form from some lines; returns it with a note for the user.
    static func of(
        _ pieces: [PackedLines], _ items: Vocabulary, _ start: RequestOptions.LineStart?
    ) -> (HistoryForm, saying: String?) {
        var statistics = WordStatistics()
        for piece in pieces { piece.forEach { line, _ in statistics.add(line, items) } }
        if statistics.isJSON { return (.json, nil) }
        switch start {
        case .user: return (.userAndItems, nil)
        case .item: return (.items, nil)
        case nil where statistics.beginsWithUsers:
            return (
                .userAndItems,
                "each line is read as a user and the items of the history; if it begins with an item: "
                    + "--line-starts-with item"
            )
        case nil:
            return (
                .items,
                "each line is read as the items of a history; if it begins with a user: --line-starts-with user"
            )
        }
    }
}

/// Counts that distinguish users from items at the start of lines.
private struct WordStatistics {
    private(set) var isJSON = false
    private var lines = 0
    private var firstKnown = 0
    private var others = 0
    private var othersKnown = 0
    private var firsts = Set<[UInt8]>()
    private var seconds = Set<[UInt8]>()
    private var linesWithSecond = 0
    private var lastNumber = Int.min
    private var numbersRise = true

    mutating func add(_ line: UnsafeRawBufferPointer, _ items: Vocabulary) {
        guard let first = line.first(where: { !isBlank($0) }) else { return }
        lines += 1
        if lines == 1 { isJSON = first == UInt8(ascii: "{") || first == UInt8(ascii: "[") }
        for (index, word) in historyWords(line, items).enumerated() {
            let isKnown = items.item(of: word) != nil
            switch index {
            case 0:
                firstKnown += isKnown ? 1 : 0
                firsts.insert(Array(word))
                let number = Int(String(decoding: word, as: UTF8.self))
                numbersRise = numbersRise && number.map { $0 > lastNumber } ?? false
                lastNumber = number ?? lastNumber
                continue
            case 1:
                linesWithSecond += 1
                seconds.insert(Array(word))
            default: break
            }
            others += 1
            othersKnown += isKnown ? 1 : 0
        }
    }

    /// Users are not items, or they are numbered like items but none comes twice, whereas items do; or they are in order.
    var beginsWithUsers: Bool {
        guard others > 0 else { return false }
        let (firstShare, otherShare) = (Double(firstKnown) / Double(lines), Double(othersKnown) / Double(others))
        if firstShare < 0.5, firstShare < otherShare { return true }
        let repeats = linesWithSecond - seconds.count
        return firsts.count == lines && (repeats >= 5 || (lines >= 5 && numbersRise))
    }
}
