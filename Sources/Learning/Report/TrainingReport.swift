import Evaluation
import FileSupport
import Foundation
public import Interactions
import Layers
public import Models
public import Training

/// `report.html`: a self-contained page about a model's training and metrics.
public struct TrainingReport: Sendable {
    /// Name of the model.
    public var name: String
    /// The dataset that it was trained on.
    public var dataset: DatasetSummary
    /// The model's hyperparameters.
    public var configuration: ModelConfiguration
    /// The reasons for options that were chosen for the data, one sentence each.
    public var reasons: [String]
    /// The record of training.
    public var record: TrainingRecord
    /// Recommendations for some users.
    public var examples: [Example]

    /// A report of these parts.
    public init(
        name: String, dataset: DatasetSummary, configuration: ModelConfiguration, reasons: [String],
        record: TrainingRecord,
        examples: [Example]
    ) {
        self.name = name
        self.dataset = dataset
        self.configuration = configuration
        self.reasons = reasons
        self.record = record
        self.examples = examples
    }

    /// One user of the test: the history, the recommendations, and the item that came next.
    public struct Example: Sendable, Equatable {
        /// Raw id.
        public var user: String
        /// Number of events in the history.
        public var events: Int
        /// Names of the history's last items in order of time.
        public var history: [String]
        /// Names of the items recommended, best first, none of them in the history.
        public var recommendations: [String]
        /// Position of the item that came next among the recommendations, nil where it is not there.
        public var hit: Int?
        /// Name of the item that came next.
        public var next: String
        /// Rank of that item, from 1, among all items but those of the history; nil where it is one of them.
        public var rank: Int?

        /// An example of these parts.
        public init(
            user: String, events: Int, history: [String], recommendations: [String], hit: Int?, next: String,
            rank: Int?
        ) {
            (self.user, self.events, self.history, self.recommendations) = (user, events, history, recommendations)
            (self.hit, self.next, self.rank) = (hit, next, rank)
        }
    }

    /// The page as HTML that is also well-formed XML.
    public var html: String {
        let title = "Training report: \(name)"
        let sections = [summary, curves, metrics, slices, exampleSection, settings]
        let page: Markup = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta name="color-scheme" content="light dark" />
            <title>\(title)</title>
            <style>\(pageStyle)\(chartStyle)</style>
            </head>
            <body>
            <main>
            <header>
            <h1>\(title)</h1>
            <p>\(origin)</p>
            <p>\(shape)</p>
            </header>
            \(sections)
            </main>
            </body>
            </html>

            """
        return page.text
    }

    private var origin: String {
        let source = dataset.source.map { " from \($0)" } ?? ""
        return """
            Trained by RecBLR \(record.version) on \(counted(dataset.events, "event"))\(source): \(counted(dataset.users, "user")), \
            \(counted(dataset.items, "item")), \(fixed(Double(dataset.events) / Double(max(1, dataset.users)), 1)) events per user.
            """
    }

    private var mixer: String {
        switch configuration.mixer {
        case .bdlru: ""
        case .attention: "attention over \(configuration.attentionWindow) events, "
        case .lru: "LRU, "
        }
    }

    private var shape: String {
        """
        \(mixer)\(counted(configuration.layerCount, "layer")), hidden size \(configuration.hiddenSize), \
        \(grouped(configuration.layout.count)) weights\(configuration.repeatAware ? ", repeat-aware" : "")\
                \(configuration.transitions ? ", with transitions" : ""); \
        \(record.options.loss.rawValue) loss, \(record.options.objective.rawValue), dropout \(record.options.dropout), peak \
        learning rate \(record.options.learningRate), \(counted(record.options.batchTokens, "event")) a step.
        """
    }

    /// The key figures, in large type.
    private var summary: Markup {
        var figures: [(value: String, name: String)] = []
        if let test = record.test {
            figures.append((fixed(test.all.unmasked.at10.ndcg, 4), "test NDCG@10, unmasked"))
            figures.append((fixed(test.all.masked.at10.ndcg, 4), "test NDCG@10, masked"))
        }
        figures.append(("\(record.bestEpoch) of \(record.epochs.count)", "epoch kept"))
        figures.append((grouped(medianRate), "training events per second"))
        figures.append((duration(record.epochs.last?.seconds ?? 0), "of training"))
        let cells = figures.map { "<div><dt>\($0.name)</dt><dd>\($0.value)</dd></div>" as Markup }
        return "<dl class=\"figures\">\(cells)</dl>"
    }

    private var startingModel: String {
        guard let origin = record.origin else { return "" }
        return
            " It continues the model with the fingerprint \(origin.model): \(counted(origin.matchedItems, "item")) matched, "
            + "\(grouped(origin.newItems)) new, \(grouped(origin.goneItems)) gone."
    }

    private var medianRate: Int {
        let rates = record.epochs.map(\.tokensPerSecond).filter(\.isFinite).sorted()
        return rates.isEmpty ? 0 : Int(rates[rates.count / 2])
    }

    private var settings: Markup {
        let items = reasons.map { "<li>\($0)</li>" as Markup }
        let list: Markup = items.isEmpty ? "" : "<p>Chosen for this data:</p>\n<ul>\(items)</ul>"
        return """
            <section>
            <h2>Settings</h2>
            \(list)
            <details><summary>The model’s configuration</summary>
            <pre tabindex="0">\(json(configuration))</pre></details>
            <details><summary>The training options</summary><pre tabindex="0">\(json(record.options))</pre></details>
            <p class="soft">Backend: \(record.backend). Fingerprint of the data: \(record.dataset).\(startingModel)</p>
            </section>
            """
    }
}

private func json(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""
}
