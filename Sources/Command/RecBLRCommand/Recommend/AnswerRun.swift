import Foundation
import Report
import Serving

/// Answers all questions on several threads, in their order.
struct AnswerRun {
    let catalogue: Catalogue
    let source: any QuestionSource
    let choice: Recommender.Choice
    let text: AnswerText
    let threads: Int

    /// Writes all answers. Memory does not grow with their number: no more than a few pieces are on their way at a time.
    func run(into output: consuming AnswerOutput, progress: AnswerProgress?) throws {
        // Each needs some megabytes, and more than there are cores only wait for each other.
        let threads = min(threads, max(16, ProcessInfo.processInfo.activeProcessorCount))
        let lanes = (0..<threads).map { _ in AnswerLane(catalogue, choice, text, source.understand) }
        var pending: [AnswerLane.Pending] = []
        // The program may not end while a thread computes.
        defer { for each in pending { _ = try? each.wait() } }
        var (tally, number) = (AnswerTally(), 0)
        while true {
            while pending.count < 3 * threads, let piece = try source.next() {
                pending.append(lanes[number % threads].start(piece))
                number += 1
            }
            if pending.isEmpty { break }
            let answers = try pending.removeFirst().wait()
            let isFirst = tally.questions == 0
            if isFirst { try output.append(text.head) }
            try output.append(isFirst ? String(answers.text.dropFirst(text.separator.count)) : answers.text)
            tally.add(answers.tally)
            progress?.show(tally.questions, source.fractionRead)
            if StopSignals.wereReceived {
                throw fail(.interrupted, "stopped after \(counted(tally.questions, "answer"))")
            }
        }
        guard tally.questions > 0 else { throw fail(.badData, "there is nobody to recommend to") }
        if tally.unanswered == tally.questions { throw fail(.badData, tally.unansweredSentence) }
        try output.append(text.tail)
        try output.finish()
        progress?.finish(tally.questions)
        for sentence in tally.sentences { printError("recblr: note: " + printable(sentence)) }
    }
}
