import Foundation
import Interactions
import Tensors
import Testing

/// Quoted fields with delimiters and line ends in them; damage that must not turn text into events.
@Suite struct QuoteTests {
    @Test(arguments: [",", ";", "\t", "|", "::"])
    func quotedFieldsSpanLines(_ delimiter: String) throws {
        var text = ["user", "note", "item", "ts"].joined(separator: delimiter) + "\n"
        text +=
            ["1", "\"x\(delimiter)y\r\n7\(delimiter)n\(delimiter)8\(delimiter)9\n\"", "a", "1"].joined(
                separator: delimiter) + "\n"
        text += ["1", "\"say \"\"hi\"\"\n\n\"", "\"b\nc\"", "2"].joined(separator: delimiter) + "\n"
        text += ["1", "5\" tv", "d", "3"].joined(separator: delimiter)
        let options = ReadOptions.with {
            $0.format = .csv
            $0.delimiter = Delimiter(delimiter)
        }
        let prepared = try prepare(text, options)
        #expect(prepared.histories == [["a", "b\nc", "d"]])
        #expect(prepared.readCounts == [3, 0, 0])
    }

    @Test func blanksAroundQuotes() throws {
        #expect(try prepare("user,item,ts\n1, \"a,b\" ,2\n").histories == [["a,b"]])
    }

    @Test func tsvHasQuotesWhereItsHeaderHas() throws {
        #expect(
            try prepare("\"user\"\t\"item\"\t\"ts\"\n\"1\"\t\"a\tb\"\t3\n", named: "log.tsv").histories == [["a\tb"]])
        #expect(
            try prepare("user\titem\tts\n1\t\"Heroes\"\t3\n1\t\"x\t4\n", named: "log.tsv").histories == [
                ["\"Heroes\"", "\"x"]
            ])
    }

    @Test func quotesThatMeanNothing() throws {
        let options = ReadOptions.with {
            $0.format = .tsv
            $0.delimiter = .comma
        }
        #expect(try prepare("user,item,ts\n1,\"a,1\n1,b,2\n", options).histories == [["\"a", "b"]])
    }

    /// Whatever a quoted field holds and wherever the file is cut or a quote is lost: no event comes out that was not one.
    @Test func damageNeverInventsEvents() throws {
        var random = SeededGenerator(seed: 31)
        let rows = (0..<12).map { row in
            let note =
                ["\"6,z,\n7,z,9\n8,z,x\"", "plain", "\"a \"\"b\"\"\n5,z,1\"", "\"4,z,2\""].randomElement(using: &random)
                ?? ""
            return "\(row),i\(row),\(note),1\n"
        }
        let text = Array(("user,item,note,ts\n" + rows.joined()).utf8)
        let options = ReadOptions.with { $0.skipsBadLines = true }
        var read = [0, 0, 0]
        for position in 18..<text.count {
            for damage in 0..<3 {
                var bytes = text
                switch damage {
                case 0: bytes.removeSubrange(position...)
                case 1 where bytes[position] == 0x22: bytes.remove(at: position)
                case 2: bytes.insert(0x22, at: position)
                default: continue
                }
                guard let prepared = try? prepare(bytes, options) else { continue }
                read[damage] += 1
                let invented = prepared.histories.joined().filter { $0 == "z" }
                // A quote in the wrong place may move the borders of fields, as it would for any reader.
                if damage == 0 { #expect(invented.isEmpty, "cut at \(position)") }
            }
        }
        #expect(read[0] > 20 && read[1] > 0 && read[2] > 20, "\(read)")
    }

    @Test func anUnclosedQuoteStopsEvenWhereBadLinesAreSkipped() {
        for rest in ["", "1,f,2\n", "1,f,2\n1,\"g\",3\n"] {
            let message = complaint {
                _ = try prepare("user,item,ts\n1,a,1\n1,\"e,1\n" + rest, .with { $0.skipsBadLines = true })
            }
            #expect(message?.hasPrefix("log.csv, line 3: ") == true)
            #expect(message?.hasSuffix("so it is not read: the line must be mended") == true)
        }
    }

    /// Sixteen megabytes of lines after an open quote: each byte is looked at once, then it stops.
    @Test func aLongUnclosedQuoteIsGivenUp() {
        let text = "user,item,ts\n1,\"a,1\n" + String(repeating: "1,b,\"\"2\n", count: (17 << 20) / 8)
        #expect(
            complaint { _ = try prepare(text) }?.hasPrefix("log.csv, line 2: a quote opens here that is never closed")
                == true)
    }
}
