import ErrorSupport
import Foundation
import Report
import Serving

/// Answers all requests on several threads and writes the answers in order.
struct AnswerRun {
    let catalogue: Catalogue
    let source: any RequestSource
    let choice: Recommender.Choice
    /// When a model with time is asked, in nanoseconds since 1970.
    let question: Int64?
    let text: AnswerText
    let threads: Int

    /// Writes all answers. Memory does not grow with their number: only a few batches are pending at a time.
    func run(into output: consuming AnswerOutput, progress: AnswerProgress?) throws {
        // Each worker needs some megabytes, and more workers than cores would not be faster.
        let threads = min(threads, max(16, ProcessInfo.processInfo.activeProcessorCount))
        let workers = (0..<threads).map { _ in AnswerWorker(catalogue, choice, at: question, text, source.parse) }
        var pending: [AnswerWorker.Pending] = []
        // The program must not exit while a thread computes.
        defer { for each in pending { _ = try? each.wait() } }
        var (tally, number) = (AnswerTally(), 0)
        while true {
            while pending.count < 3 * threads, let batch = try source.next() {
                pending.append(workers[number % threads].start(batch))
                number += 1
            }
            if pending.isEmpty { break }
            let answers = try pending.removeFirst().wait()
            let isFirst = tally.requests == 0
            if isFirst { try output.append(text.head) }
            try output.append(isFirst ? String(answers.text.dropFirst(text.separator.count)) : answers.text)
            tally.add(answers.tally)
            progress?.show(tally.requests, source.fractionRead)
            if Console.current.isStopped() {
                throw fail(.interrupted, "stopped after \(counted(tally.requests, "answer"))")
            }
        }
        guard tally.requests > 0 else { throw fail(.badData, "there are no users to recommend to") }
        if tally.unanswered == tally.requests { throw fail(.badData, tally.unansweredSentence) }
        try output.append(text.tail)
        try output.finish()
        progress?.finish(tally.requests)
        for sentence in tally.sentences { printError("recblr: note: " + printable(sentence)) }
    }
}
