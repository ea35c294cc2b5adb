import ArgumentParser
import FileSupport
import Report

struct BenchScans: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scans",
        abstract: "Serial, parallel and packed scans, as in the paper's Table 5.",
        discussion: """
            Forward and backward of the model without its softmax over some 4,096 events in \
            sequences of one length, on one thread. Serial: one step after the other over the whole batch. Parallel: a \
            work-efficient parallel prefix, which wants a power of two: sequences are padded before the model, or \
            embeddings after the input projection. Packed is what training does. All forms share every other operation \
            and compute the same gradients. Times are the thread's processor time.

            Example:

              recblr-bench scans
            """)

    @OptionGroup var output: OutputOptions

    func run() throws {
        let bench = ScanBench()
        try output.write(bench, text: bench.text)
    }
}

extension ScanBench {
    var text: String {
        let titles: [(ScanForm, String)] = [
            (.serial, "serial"), (.sequencePadding, "sequence padding"), (.embeddingPadding, "embedding padding"),
            (.packed, "packed"),
        ]
        var table = TextTable(["ms a batch (beside packed)"] + titles.map(\.1))
        for row in rows {
            let cells = titles.map { form, _ in
                let time = fixed(row.milliseconds[form.rawValue]!, 1)
                return form == .packed ? time : "\(time) (\(fixed(row.ratios[form.rawValue]!, 2)) x)"
            }
            table.add(["\(row.sequences) sequences of \(row.length), padded to \(row.paddedLength)"] + cells)
        }
        return "\(machine.text), 1 thread\n\n\(table.text)"
    }
}
