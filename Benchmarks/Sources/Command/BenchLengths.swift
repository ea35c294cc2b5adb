import ArgumentParser
import FileSupport
import Report

struct BenchLengths: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lengths",
        abstract: "Time and memory against the length of a sequence, as in the paper's Figure 4.",
        discussion: """
            One sequence of 100 to 25,600 events on one thread, through the model (with a catalogue of 64 items, so that \
            the softmax does not weigh) and through the same with self-attention over the whole sequence in place of the \
            recurrence: forward, and forward with the loss and all gradients. Times are the thread's processor time; memory is \
            what a pass keeps and needs at once beyond the weights, counted byte by byte.

            Example:

              recblr-bench lengths --output lengths.json
            """)

    @OptionGroup var output: OutputOptions

    func run() throws {
        let bench = LengthBench()
        try output.write(bench, text: bench.text)
    }
}

extension LengthBench {
    var text: String {
        var table = TextTable([
            "Events, ns/token", "forward", "MB", "training", "MB", "attention forward", "MB", "training", "MB",
        ])
        for row in rows {
            let costs = [row.forward, row.training, row.attentionForward, row.attentionTraining]
            table.add(
                [grouped(row.length)]
                    + costs.flatMap { [grouped(Int($0.nanoseconds)), fixed(Double($0.bytes) / 1e6, 1)] })
        }
        return "\(machine.text), 1 thread\n\n\(table.text)"
    }
}
