import Evaluation
import FileSupport
import Interactions
import Training

/// The two settings of ``SettingMetrics``.
private let settings: [(String, KeyPath<SettingMetrics, RankMetrics> & Sendable)] = [
    ("unmasked", \.unmasked), ("masked", \.masked),
]

extension TrainingReport {
    /// Loss, validation metrics and throughput by epoch.
    var curves: Markup {
        let mark = (x: Double(record.bestEpoch), label: "kept")
        func points(_ value: (EpochRecord) -> Double?) -> [LineChart.Point] {
            record.epochs.compactMap { epoch in value(epoch).map { LineChart.Point(Double(epoch.epoch), $0) } }
        }
        var charts = [
            LineChart("Training loss", xLabel: "epoch", [.init("loss", points(\.loss))], digits: 4, mark: mark)
        ]
        let validation = settings.map { name, path in
            LineChart.Series(name, points { $0.validation?[keyPath: path].at10.ndcg })
        }
        if validation.contains(where: { !$0.points.isEmpty }) {
            charts.append(LineChart("Validation NDCG@10", xLabel: "epoch", validation, digits: 4, mark: mark))
        }
        charts.append(
            LineChart(
                "Training events per second", xLabel: "epoch", [.init("events per second", points(\.tokensPerSecond))],
                digits: 0, startsAtZero: true))
        let figures = charts.map { "<figure>\($0.svg)</figure>" as Markup }
        let note: Markup =
            charts.count == 3
            ? "" : "<p>There was no validation\(noCases). The last epoch was kept.</p>"
        return """
            <section>
            <h2>Training</h2>
            <div class="charts">\(figures)</div>
            \(note)
            </section>
            """
    }

    /// The model beside the counting baselines.
    var metrics: Markup {
        guard let test = record.test else {
            return
                "<section><h2>Test</h2><p>\(record.split == .everything ? "Everything trained" : "No user has enough events for a test case").</p></section>"
        }
        let reports = record.reports
        let chart = BarChart(
            "Test NDCG@10", series: settings.map(\.0),
            reports.map { report in
                (report.name, settings.map { .init(report.all[keyPath: $0.1].at10.ndcg) })
            }, digits: 4)
        let rows = settings.flatMap { name, path in
            reports.map { report in
                ["\(report.name), \(name)"] + cells(report.all[keyPath: path])
            }
        }
        return """
            <section>
            <h2>Test</h2>
            <p>\(splitRule)\(counted(test.all.unmasked.cases, "case")), each target ranked among all \(counted(dataset.items, "item")), ties \
            against it; already in the history: \(counted(test.repeats, "target")). <em>Unmasked</em> keeps items already seen \
            among the candidates, as papers do; <em>masked</em> leaves them out, as a product would on such data.</p>
            <div class="charts"><figure>\(chart.svg)</figure></div>
            \(table("Test metrics", ["Ranker"] + metricNames, rows, strong: "\(test.name), "))
            </section>
            """
    }

    private var noCases: String {
        record.split == .everything ? ": everything trained" : ": no user has enough events"
    }

    private var splitRule: String {
        switch record.split {
        case .leaveOneOut: "Each user’s last event is the test, the one before it validation, the rest trained. "
        case .globalTime(let validation, let test):
            "Trained before the last \(fixed(100 * (validation + test), 0)) % of all events by time; a user’s first event of the "
                + "first \(fixed(100 * validation, 0)) % of those is validation, of the last \(fixed(100 * test, 0)) % the test. "
        case .stream(let validation, let test):
            "Trained before the last \(fixed(100 * (validation + test), 0)) % of all events by time; of the first "
                + "\(fixed(100 * validation, 0)) % of those every event is validation, of the last \(fixed(100 * test, 0)) % the test, each "
                + "predicted before it is learnt; the baselines go on counting. "
        case .session(let validation, let test):
            "The last \(fixed(100 * test, 0)) % of sessions by their end are the test, the \(fixed(100 * validation, 0)) % before them "
                + "validation, every event after a session’s first a case; the sessions before trained. "
        case .everything, nil: ""
        }
    }

    /// The model's metrics by popularity of the target.
    var slices: Markup {
        guard let test = record.test else { return "" }
        let rows = settings.flatMap { name, path in
            test.slices.map { slice in
                let metrics = slice.metrics[keyPath: path]
                return ["\(slice.popularity.rawValue), \(name)", grouped(slice.items), grouped(metrics.cases)]
                    + cells(metrics).prefix(3)
            }
        }
        return """
            <section>
            <h2>By popularity of the target</h2>
            <p>The head is the most popular items that make up half of all training events, the middle the next 30&#160;%, the \
            tail the rest.</p>
            \(table("Metrics by popularity", ["Targets", "items", "cases"] + metricNames.prefix(3), rows))
            </section>
            """
    }

    /// Recommendations for some users of the test.
    var exampleSection: Markup {
        guard !examples.isEmpty else { return "" }
        let cards = examples.map(card)
        return """
            <section>
            <h2>Examples</h2>
            <p>Test users, what they did last, what the model recommends (nothing they had before), and what came.</p>
            <div class="cards">\(cards)</div>
            </section>
            """
    }

    private func card(_ example: Example) -> Markup {
        let history = example.history.map { "<li>\($0)</li>" as Markup }
        let recommendations = example.recommendations.enumerated().map { position, name -> Markup in
            position == example.hit
                ? "<li class=\"hit\"><strong dir=\"auto\">\(name)</strong> ✓ came next</li>" : "<li>\(name)</li>"
        }
        let place = example.rank.map { "rank \(grouped($0)) of \(grouped(dataset.items))" } ?? "once more"
        let next: Markup =
            example.hit == nil ? "<p>Came next: <strong dir=\"auto\">\(example.next)</strong>, \(place).</p>" : ""
        return """
            <article>
            <h3>User \(example.user)</h3>
            <p class="soft">The last of \(counted(example.events, "event"))</p>
            <ul>\(history)</ul>
            <p class="soft">Recommended</p>
            <ol>\(recommendations)</ol>
            \(next)
            </article>
            """
    }
}

private let metricNames = ["HR@10", "NDCG@10", "MRR@10", "HR@20", "NDCG@20", "MRR@20"]

private func cells(_ metrics: RankMetrics) -> [String] {
    [metrics.at10, metrics.at20].flatMap { [$0.hr, $0.ndcg, $0.mrr].map { fixed($0, 4) } }
}

/// A table that scrolls where it is wider than the page. Rows that begin with `strong` stand out.
private func table(_ name: String, _ header: [String], _ rows: [[String]], strong: String? = nil) -> Markup {
    let head = header.map { "<th scope=\"col\">\($0)</th>" as Markup }
    let body = rows.map { row -> Markup in
        let style: Markup = strong.map { row[0].hasPrefix($0) } == true ? " class=\"strong\"" : ""
        return "<tr\(style)><th scope=\"row\">\(row[0])</th>\(row.dropFirst().map { "<td>\($0)</td>" as Markup })</tr>"
    }
    return """
        <div class="scroll" role="region" aria-label="\(name)" tabindex="0"><table>
        <thead><tr>\(head)</tr></thead>
        <tbody>
        \(body)
        </tbody>
        </table></div>
        """
}
