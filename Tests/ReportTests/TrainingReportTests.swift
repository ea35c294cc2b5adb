import Foundation
import Interactions
import Testing
import Training

@testable import Report

@Suite struct TrainingReportTests {
    @Test(arguments: [1, 2, 25, 300], [true, false])
    func everyLengthOfTrainingIsAPage(epochs: Int, isMeasured: Bool) throws {
        let losses = (0..<epochs).map { 7 / Double($0 + 1) }
        let html = try report(losses: losses, isMeasured: isMeasured).html
        let page = Parsed(html)
        #expect(page.isWellFormed)
        #expect(page.elements["svg"] == (isMeasured ? 4 : 2))
        #expect(page.elements["table"] == (isMeasured ? 2 : nil))
        #expect(page.text.contains("There was no validation") == !isMeasured)
        #expect(page.text.contains("No user has enough events for a test case.") == !isMeasured)
        #expect(!html.lowercased().contains("nan") && !html.contains("Markup("))
    }

    /// Nothing is fetched and nothing runs.
    @Test func itNeedsNothingElse() throws {
        let page = Parsed(try report(losses: [3, 2, 1]).html)
        for name in ["script", "link", "img", "iframe", "image", "use"] { #expect(page.elements[name] == nil) }
        #expect(!page.attributes.contains { ["src", "href", "style"].contains($0.name) || $0.name.hasPrefix("on") })
        #expect(!page.text.contains("url(") && !page.text.contains("@import"))
        #expect(page.attributes.contains { $0.name == "content" && $0.value.contains("width=device-width") })
    }

    @Test(arguments: hostile) func textStaysText(text: String) throws {
        let (plain, page) = (
            Parsed(try report(losses: [3, 2]).html), Parsed(try report(losses: [3, 2], text: text).html)
        )
        #expect(page.isWellFormed)
        #expect(page.elements == plain.elements && page.attributes.count == plain.attributes.count)
        let kept = text.replacing(/[\u{1}\u{FFFE}]/, with: "\u{FFFD}")
        // Its name, in title and heading, a reason, a user, an item, and the title of the chart that names it.
        #expect(page.text.split(separator: kept, omittingEmptySubsequences: false).count > 10)
    }

    @Test func theNumbersAreThere() throws {
        let text = Parsed(try report(losses: [3, 2, 1]).html).text
        // Ranks 1 and 4 in the last epoch: (1 + 1 / log2(5)) / 2.
        #expect(text.contains("0.7153 (epoch 3)"))
        #expect(text.contains("loss: from 3.0000 (epoch 1) to 1.0000 (epoch 3)."))
        #expect(text.contains("✓ came next") && text.contains("The last of 1,234 events"))
        #expect(text.contains("2 layers, hidden size 64, ") && text.contains(" full loss, every-position, dropout 0.2"))
        #expect(text.contains("12,346") && text.contains("5 min 00 s"))
    }

    /// Where the item is not among the recommended ones, its rank is told.
    @Test func aMissTellsItsRank() throws {
        var missed = try report(losses: [1])
        missed.examples[0].hit = nil
        let text = Parsed(missed.html).text
        #expect(!text.contains("✓ came next") && text.contains(", rank 2 of 3."))
        missed.examples[0].rank = nil
        #expect(Parsed(missed.html).text.contains(", once more."))
    }

    @Test func theSplitIsNamed() throws {
        var split = try report(losses: [1])
        split.record.split = .globalTime(validationFraction: 0.1, testFraction: 0.2)
        #expect(
            Parsed(split.html).text.contains("Trained before the last 30 % of all events by time; a user’s first event")
        )
        split.record.split = .leaveOneOut
        #expect(Parsed(split.html).text.contains("Each user’s last event is the test"))
    }

    @Test func numbersThatAreNoneAreLeftOut() throws {
        let html = try report(losses: [.nan, .infinity, 2]).html
        #expect(Parsed(html).isWellFormed)
        #expect(!html.lowercased().contains("nan") && !html.contains(">inf"))
        #expect(Parsed(html).text.contains("loss: 2.0000 (epoch 3)."))
    }
}
