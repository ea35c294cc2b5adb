import Foundation
import Tensors
import Testing

@testable import Interactions

/// Times as they are written, one by one and column by column.
@Suite struct TimeColumnTests {
    /// The times of a column by themselves, after all was read.
    private func column(_ texts: [String]) throws -> [Int64] {
        var log = "user,item,time\n"
        for text in texts { log += "u,i,\"\(text)\"\n" }
        let prepared = try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("log.csv")
            try Data(log.utf8).write(to: url)
            let log = try InteractionLog.read(url)
            var times: [Int64] = []
            try log.events.forEach { event, _ in times.append(event.time) }
            return times
        }
        return prepared
    }

    /// One number that seconds or milliseconds cannot hold would give all others another scale.
    @Test(arguments: [
        ("9999999999", "1656105611"), ("253402300799", "1656105611"), ("-62135596800", "1656105611"),
        ("9223372036854775807", "1656105611"), ("99999999999999", "1656105611000"),
    ])
    func farNumbersAmongDatesAreRefused(_ far: String, _ date: String) throws {
        let dates = [date, date, date]
        for (line, texts) in [(5, dates + [far]), (2, [far] + dates), (3, [date, far, date])] {
            let error = #expect(throws: (any Error).self) { try column(texts) }
            let text = "\(try #require(error))"
            #expect(
                text.contains("line \(line): the timestamp '\(far)' lies outside of the years 1678 to 2261"), "\(text)")
        }
        // Numbers of which none is a date may be as large as they like.
        #expect(try column(["1", "2", far]).sorted() != [])
    }

    /// 2022-06-24 21:20:11.
    private static let moment: Int64 = 1_656_105_611

    @Test(arguments: [
        "2022-06-24 21:20:11 UTC", "2022-06-24T21:20:11Z", "2022-06-24t21:20:11z", " 2022-06-24 21:20:11 ",
        "2022-06-24 21:20:11\t", "2022-06-24T23:20:11+0200", "2022-06-24T23:20:11+02:00", "2022-06-24T23:20:11+02",
        "2022-06-24 23:20:11 +0200", "2022-06-24T21:20:11-00:00", "2022-06-24T18:50:11-02:30", "2022/06/24 21:20:11",
        "2022-6-24 21:20:11", "2022/6/24 21:20:11", "2022.06.24 21:20:11", "2022-06-24 21:20:11,000",
        "2022-06-24 09:20:11 PM",
        "2022-06-24 9:20:11 pm", "2022-06-24 9:20:11PM", "2022-06-24 9:20:11 p.m.", "24.06.2022 21:20:11",
        "06/24/2022 21:20:11", "24/06/2022 21:20:11", "24-06-2022 21:20:11", "6/24/2022 9:20:11 PM",
        "20220624T212011Z", "20220624T212011", "20220624 21:20:11", "20220624T232011+0200", "20220624212011",
        "Fri Jun 24 21:20:11 +0000 2022", "Fri Jun 24 21:20:11 2022", "Fri, 24 Jun 2022 21:20:11 GMT",
        "Fri, 24 Jun 2022 23:20:11 +0200", "24 June 2022 21:20:11", "24-Jun-2022 21:20:11", "Jun 24, 2022, 9:20:11 PM",
        "2022-Jun-24 21:20:11", "24/Jun/2022:23:20:11 +0200",
        "Fri Jun 24 2022 23:20:11 GMT+0200 (Central European Time)",
        "Fri Jun 24 21:20:11 UTC 2022", "Friday, Sept. 24, 2022", "2022-06-24T23:20:11+02:00[Europe/Berlin]",
        "2022-06-24 23:20:11 UTC+2", "6/24/2022, 9:20:11 PM", "24.6.2022, 21:20:11",
        "6/24/2022, 9:20:11\u{202F}PM", "2022-06-24\u{A0}21:20:11", "1656105611", "1656105611000", "1656105611000000",
        "1656105611000000000",
        "1.656105611E9",
        "1656105611.0", "+1656105611", "1656105611.", " 1656105611 ", "01656105611", "1656105611e0", "165610561100e-2",
    ])
    func oneMomentInManySpellings(_ text: String) throws {
        let expected = text.contains("Sept") ? 1_663_977_600 : Self.moment
        #expect(try column([text]) == [expected * 1_000_000_000])
    }

    @Test(
        arguments: [
            ("1970-01-01", 0), ("1969-12-31", -86_400_000_000_000), ("1969-12-31 23:59:59.5", -500_000_000),
            ("2022-06-24T21:20", 1_656_105_600_000_000_000),
            ("2022-06-24T21:20:11.123456789Z", 1_656_105_611_123_456_789),
            ("2022-06-24T21:20:11,5", 1_656_105_611_500_000_000),
            ("2022-06-24T21:20:11.1234567899", 1_656_105_611_123_456_789),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000), ("2022-06-23T24:00", 1_656_028_800_000_000_000),
            ("2022-06-24 12:00 AM", 1_656_028_800_000_000_000), ("2022-06-24 12:00 PM", 1_656_072_000_000_000_000),
            ("20220624T2120", 1_656_105_600_000_000_000), ("1678-01-01", -9_214_560_000_000_000_000),
            ("2261-12-31T23:59:59.999999999", 9_214_646_399_999_999_999),
            ("1656105611.1234567", 1_656_105_611_123_456_700),
            ("1656105611123.4567891", 1_656_105_611_123_456_789), ("-1.5", -1_500_000_000), ("-0.0000000001", -1),
            ("1656105611123456789", 1_656_105_611_123_456_789), ("9223372036854775807", .max), ("1e-400", 0), ("0", 0),
            ("9223372036", 9_223_372_036_000_000_000), ("9223372037", 9_223_372_037_000_000),
            ("202206242120", 1_656_105_600_000_000_000),
            ("20220624", 1_656_028_800_000_000_000),
        ] as [(String, Int64)])
    func exactTimes(_ text: String, _ expected: Int64) throws { #expect(try column([text]) == [expected]) }

    @Test(arguments: [
        "", " ", "-", ".", "e5", "1e", "nan", "inf", "0x10", "1,5", "--1", "1.2.3", "٢٠٢٢-06-24", "2024-13-01",
        "2024-00-01",
        "2024-02-30", "2023-02-29", "1900-02-29", "2024-04-31", "2024-05-00", "2024-05-01T", "2024-05-01T24:01",
        "2024-05-01T25:00", "2024-05-01T12:60", "2024-05-01T12", "2024-05-01T12:30:61", "2024-05-01T12:30:00.",
        "2024-05-01T12:30:00Z+02:00", "2024-05-01T12:30:00Zx", "2024-05-01T12:30+02:", "2024-05-01T12:30+",
        "2024-05-01Z",
        "2024-05-01x12:30", "2024-05-01 13:30 PM", "2024-05-01 0:30 AM", "2024-05-01 12:30 CEST",
        "2024-05-01T12:30+99:00",
        "2024-05-01T12:30:00 +02:00 x", "0001-01-01", "9999-12-31", "1677-12-31", "2262-01-01", "12/13/22",
        "13/13/2022",
        "2022-06/24", "2022-06", "24 June", "June 2022", "24 24 June 2022", "32 Jun 2022", "24 Jun 2022 10:00 11:00",
        "yesterday", "May", "Mon", "1e999", "9223372036854775808", "1e19", "2022-06-24T21:20:11+02:00[Europe",
        "20221324T1200",
    ])
    func whatIsNoTime(_ text: String) { #expect(throws: DatasetError.self) { try column([text]) } }

    @Test(
        arguments: [
            (["1656105611", "1656105612"], [1_656_105_611_000_000_000, 1_656_105_612_000_000_000]),
            (["1656105611123456789", "1656105611123456788"], [1_656_105_611_123_456_789, 1_656_105_611_123_456_788]),
            // Ordinals, clocks that begin at zero, times that are not known.
            (["0", "1", "2"], [0, 1_000_000_000, 2_000_000_000]),
            (["0", "1656105611000"], [0, 1_656_105_611_000_000_000]),
            (["7", "1656105611000"], [7_000_000, 1_656_105_611_000_000_000]),
            (["1656105611", "0", "-1"], [1_656_105_611_000_000_000, 0, -1_000_000_000]),
            (
                ["5", "1000000000", "50000000000", "600000000000"],
                [5_000_000, 1_000_000_000_000_000, 50_000_000_000_000_000, 600_000_000_000_000_000]
            ),
            // The unit is known only later: what is finer is cut off.
            (["0.5", "-0.0000001", "10000000000"], [500_000, -1, 10_000_000_000_000_000]),
            (["24062022", "24062023", "99999999"], [24_062_022, 24_062_023, 99_999_999].map { $0 * 1_000_000_000 }),
            (["20220624", "20220625"], [1_656_028_800_000_000_000, 1_656_115_200_000_000_000]),
            (
                ["20220624", "20220625", "5", "6", "7", "8"].reversed(),
                [8, 7, 6, 5, 20_220_625, 20_220_624].map { $0 * 1_000_000_000 }
            ),
            // The day or the month first: known only later.
            (["03/04/2022", "24/06/2022"], [1_648_944_000_000_000_000, 1_656_028_800_000_000_000]),
            (
                ["03/04/2022", "06/24/2022", "04/03/2022"],
                [1_646_352_000_000_000_000, 1_656_028_800_000_000_000, 1_648_944_000_000_000_000]
            ),
            (["12/1/2010 8:26", "12/13/2010 8:26"], [1_291_191_960_000_000_000, 1_292_228_760_000_000_000]),
            (["03.04.2022"], [1_648_944_000_000_000_000]),
            (["04/04/2022", "05/05/2022"], [1_649_030_400_000_000_000, 1_651_708_800_000_000_000]),
            // Fractions, offsets and T come and go.
            (
                ["2022-06-24T21:20:11Z", "2022-06-24 23:20:11.5+02:00"],
                [1_656_105_611_000_000_000, 1_656_105_611_500_000_000]
            ),
            (["2022-06-24T21:20", "2022-06-24T21:20:11"], [1_656_105_600_000_000_000, 1_656_105_611_000_000_000]),
        ] as [([String], [Int64])])
    func columns(_ texts: [String], _ expected: [Int64]) throws { #expect(try column(texts) == expected) }

    @Test(arguments: [
        (
            ["2022-06-24", "20220625"],
            "line 3: the timestamp '20220625' is a bare number, but '2022-06-24' in line 2 is a date"
        ),
        (
            ["20220625", "2022-06-24"],
            "line 3: the timestamp '2022-06-24' is a date, but '20220625' in line 2 is a bare number"
        ),
        (
            ["2022-06-24", "2022/06/25"],
            "line 3: the timestamp '2022/06/25' is written otherwise than '2022-06-24' in line 2; one column holds one spelling"
        ),
        (
            ["2022-06-24 10:00:00", "2022-06-25"],
            "line 3: the timestamp '2022-06-25' is written otherwise than '2022-06-24 10:00:00' in line 2; one column holds one spelling"
        ),
        (
            ["2022-06-24 10:00:00", "2022-06-24 10:00:00Z"],
            "line 3: the timestamp '2022-06-24 10:00:00Z' is written otherwise than '2022-06-24 10:00:00' in line 2; one column holds one spelling"
        ),
        (
            ["1656105611000", "0", "1656105611"],
            "line 4: the timestamp '1656105611' looks like seconds since 1970, but '1656105611000' in line 2 like milliseconds since 1970; one column holds one unit"
        ),
        (
            ["1656105611.5", "1656105611000.5"],
            "line 3: the timestamp '1656105611000.5' looks like milliseconds since 1970, but '1656105611.5' in line 2 like seconds since 1970; one column holds one unit"
        ),
        (
            ["5", "1656105611", "1656105611000"],
            "line 4: the timestamp '1656105611000' looks like milliseconds since 1970, but '1656105611' in line 3 like seconds since 1970; one column holds one unit"
        ),
        (
            ["1656105611000000", "1656105611000000000"],
            "line 3: the timestamp '1656105611000000000' looks like nanoseconds since 1970, but '1656105611000000' in line 2 like microseconds since 1970; one column holds one unit"
        ),
        (
            ["1656105611", "20220625"],
            "line 3: the timestamp '20220625' looks like a date without separators, but '1656105611' in line 2 like seconds since 1970; one column holds one unit"
        ),
        (
            ["20220624", "20220631"],
            "line 3: the timestamp '20220631' looks like a plain number, but '20220624' in line 2 like a date without separators; one column holds one unit"
        ),
        (
            ["20220624", "0"],
            "line 3: the timestamp '0' looks like a plain number, but '20220624' in line 2 like a date without separators; one column holds one unit"
        ),
        (
            ["20220624", "20220624212011"],
            "line 3: the timestamp '20220624212011' looks like a date and time without separators, but '20220624' in line 2 like a date without separators; one column holds one unit"
        ),
        (
            ["03/04/2022", "04/05/2022"],
            "line 2: whether the day or the month comes first in '03/04/2022' is ambiguous: no date of the log has a day after the 12th; write the times as 2024-05-01"
        ),
        (
            ["24062022", "1072022"],
            "line 2: the timestamp '24062022' looks like a date that ends in its year, as all others do; such numbers are not in the order of time: write the times as 2024-05-01"
        ),
        (
            ["6242022"],
            "line 2: the timestamp '6242022' looks like a date that ends in its year, as all others do; such numbers are not in the order of time: write the times as 2024-05-01"
        ),
        (
            ["24/06/2022", "06/25/2022"],
            "line 3: the timestamp '06/25/2022' has the month first, but '24/06/2022' in line 2 has not"
        ),
        (
            ["03/04/2022 10:00+02:00", "24/06/2022 10:00+02:00"],
            "line 2: whether the day or the month comes first in '03/04/2022 10:00+02:00' does not follow from the lines before"
        ),
        (["9999-12-31"], "line 2: the timestamp '9999-12-31' is not of the years 1678 to 2261"),
        (
            ["2022-06-24 21:20 CEST"],
            "line 2: the timestamp '2022-06-24 21:20 CEST' is in a time zone that is not known: write UTC, Z or an offset such as +02:00"
        ),
        (["2022-02-30"], "line 2: the timestamp '2022-02-30' is no day of the calendar"),
        (["31/04/2022"], "line 2: the timestamp '31/04/2022' is no day of the calendar"),
        (["9223372036854775808"], "line 2: the timestamp '9223372036854775808' is beyond 64 bits"),
    ])
    func wordingOfColumns(_ texts: [String], _ expected: String) {
        #expect(complaint { _ = try column(texts) } == "log.csv, " + expected)
    }

    /// A line that contradicts its column can be skipped, and changes nothing for the others.
    @Test func contradictionsCanBeSkipped() throws {
        let text = "user,item,time\n1,a,2022-06-24\n1,b,1656105611000\n1,c,20220625\n1,d,2022-06-23\n"
        let prepared = try prepare(text, .with { $0.skipsBadLines = true })
        #expect(prepared.histories == [["d", "a"]])
        #expect(prepared.times == [[1_655_942_400, 1_656_028_800]])
        #expect(prepared.readCounts == [4, 2, 0])
    }

    @Test func everyDayOfFourCenturiesFollowsTheOneBefore() throws {
        var (expected, wrong) = (-2_208_988_800 as Int64, [String]())
        for year in 1900..<2261 {
            for month in 1...12 {
                for day in 1...31 {
                    let text = String(format: "%04d-%02d-%02d", year, month, day)
                    let time = Array(text.utf8).withUnsafeBytes { bytes in
                        TimeText.parse(bytes).flatMap { $0.nanoseconds(month: $0.month, day: $0.day) }
                    }
                    guard let time else { continue }
                    let date = CivilDay(daysSinceEpoch: Int(expected / 86_400))
                    if time != expected * 1_000_000_000 || date != CivilDay(year: year, month: month, day: day) {
                        wrong.append(text)
                    }
                    expected += 86_400
                }
            }
        }
        #expect(wrong == [])
        #expect(expected == 9_183_110_400)
    }

    /// Exact for every number of places, in the order of the numbers.
    @Test func decimalsAgreeWithWholeNumbers() throws {
        var random = SeededGenerator(seed: 21)
        for _ in 0..<5_000 {
            let places = [0, 3, 6, 9].randomElement(using: &random)!
            let value =
                Int64.random(in: -9_000_000_000_000_000_000...9_000_000_000_000_000_000, using: &random)
                >> Int64.random(in: 0...60, using: &random)
            let digits = String(repeating: "0", count: 20) + String(value.magnitude)
            let point = digits.index(digits.endIndex, offsetBy: -places)
            let text = (value < 0 ? "-" : "") + digits[..<point] + "." + digits[point...]
            let found = Array(text.utf8).withUnsafeBytes { DecimalText($0)?.scaled(by: places) }
            if found != value { Issue.record("\(text): \(String(describing: found))") }
        }
    }

    /// However little memory there is, times that were read before the column was understood are set right.
    @Test func lateUnderstandingReachesTheTemporaryFile() throws {
        let days = (1...12).flatMap { month in (1...12).map { (month, $0) } }
        var text = "user,item,time\n"
        for (i, (month, day)) in days.enumerated() { text += "u\(i % 3),i\(month * 100 + day),\(month)/\(day)/2022\n" }
        text += "u0,last,12/31/2022\n"
        for reading in [1, 7, 1_000] {
            let prepared = try prepare(text, .with { $0.memory.reading = reading })
            for history in prepared.histories {
                let numbers = history.compactMap { Int($0.dropFirst()) }
                #expect(numbers == numbers.sorted())
            }
            #expect(prepared.histories[0].last == "last")
        }
    }
}
