import FileSupport
import Identifiers

extension InteractionLog {
    /// Reasons to doubt that the log was read as intended, one sentence each.
    public var doubts: [String] {
        var texts: [String] = []
        if 2 * report.skippedLines >= report.lines, let firstSkipped {
            texts.append(
                "skipped: \(counted(report.skippedLines, "malformed \(times.place.unit)")) of \(grouped(report.lines)), so that the "
                    + "dataset is hardly the log; the first of them: \(firstSkipped)")
        }
        for (what, ids) in [("users", userIDs), ("items", itemIDs)] {
            let (count, example) = ids.roundedNumbers
            guard let example else { continue }
            texts.append(
                "rounded, as spreadsheets do: \(counted(count, "id")) of \(what), the first \(example); different \(what) may "
                    + "have become one: export the log again with its ids as text")
        }
        if let example = times.numbers.coarse.example {
            texts.append(
                "rounded, as spreadsheets do: \(counted(times.numbers.coarse.count, "time")), the first \(example.text) in \(example.place.unit) "
                    + "\(example.place.line); the order within what was rounded is lost: export the log again with whole numbers"
            )
        }
        if meaningOfTimes?.areDates == true, times.unlikely > 0 {
            texts.append(
                "1970-01-01 or before: \(counted(times.unlikely, "time")), often the mark of a time that is not known; such "
                    + "events count as the earliest: take them out of the log if it is one")
        }
        return texts
    }

    /// Warnings about a log, one sentence each.
    public var warnings: [String] {
        var texts: [String] = []
        if let firstSkipped, 2 * report.skippedLines < report.lines {
            texts.append(
                "skipped: \(counted(report.skippedLines, "malformed \(times.place.unit)")), the first of them: \(firstSkipped)"
            )
        }
        if let count = report.repeatedHeaders {
            texts.append("skipped: \(counted(count, "line")) that only the header should be")
        }
        if let count = report.composedIDs {
            texts.append(
                "taken for their composed form (NFC): \(counted(count, "id")) in a decomposed Unicode form")
        }
        for (what, ids) in [("users", userIDs), ("items", itemIDs)] {
            let (count, example) = ids.twinsWithFraction
            guard let example else { continue }
            texts.append(
                "\(counted(count, String(what.dropLast()))) with and without .0 in the log (\(example).0 beside \(example)), counted as "
                    + "different \(what): write whole numbers where the log is exported")
        }
        return texts
    }
}

extension Interner {
    /// How many strings are numbers such as 1.23457E+12, and the first. O(count).
    var roundedNumbers: (count: Int, example: String?) {
        var (count, example): (Int, String?) = (0, nil)
        for number in 0..<Int32(self.count) {
            withBytes(number) { bytes in
                guard bytes.count > 4, bytes.contains(0x2B), DecimalText(bytes)?.isCoarse == true else { return }
                count += 1
                example = example ?? String(decoding: bytes, as: UTF8.self)
            }
        }
        return (count, example)
    }

    /// How many strings are whole numbers with `.0` behind them, whose number alone is there too, and one of these numbers.
    /// O(count).
    var twinsWithFraction: (count: Int, example: String?) {
        var (count, example): (Int, String?) = (0, nil)
        for number in 0..<Int32(self.count) {
            withBytes(number) { bytes in
                guard bytes.count > 2, bytes[bytes.count - 1] == 0x30, bytes[bytes.count - 2] == 0x2E else { return }
                let whole = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 2)])
                guard whole.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2D }), index(of: whole) != nil else {
                    return
                }
                count += 1
                example = example ?? String(decoding: whole, as: UTF8.self)
            }
        }
        return (count, example)
    }
}
