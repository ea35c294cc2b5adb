/// Horizontal bars from zero, in groups, each with its number.
public struct BarChart: Chart {
    /// A bar.
    public struct Bar: Sendable, Equatable {
        /// The value, not negative.
        public var value: Double
        /// Drawn as an error bar; 0 draws none.
        public var deviation: Double

        /// A bar of length `value`, with an error bar of ± `deviation`.
        public init(_ value: Double, deviation: Double = 0) { (self.value, self.deviation) = (value, deviation) }

        var isFinite: Bool { value.isFinite && deviation.isFinite }
    }

    public let title: String
    private let series: [String]
    private let groups: [(name: String, bars: [Bar])]
    private let digits: Int
    private static let barHeight = 13.0

    /// A group for each name, with a bar for each of the `series` (at most four). Numbers have `digits` behind the point.
    public init(_ title: String, series: [String], _ groups: [(name: String, bars: [Bar])], digits: Int) {
        precondition(groups.allSatisfy { $0.bars.count == series.count }, "one bar a series in each group")
        self.title = title
        self.series = series
        self.groups = groups
        self.digits = digits
    }

    private var top: Double { series.count > 1 ? 42 : 22 }
    private var groupHeight: Double { 24 + Self.barHeight * Double(series.count) }
    public var height: Double { top + groupHeight * Double(groups.count) + 24 }

    public var description: String {
        groups.map { group in
            let values = zip(series, group.bars).map { "\($0) \(valueText($1))" }
            return "\(group.name): \(values.joined(separator: ", "))"
        }.joined(separator: "; ") + "."
    }

    private func valueText(_ bar: Bar) -> String {
        fixed(bar.value, digits) + (bar.deviation > 0 ? " ± \(fixed(bar.deviation, digits))" : "")
    }

    public var drawing: Markup {
        let ends = groups.flatMap(\.bars).filter(\.isFinite).map { $0.value + $0.deviation }
        let labelWidth = 8 + 6.6 * Double(groups.flatMap(\.bars).map { valueText($0).count }.max() ?? 0)
        let x = Axis([0, max(1e-3, ends.max() ?? 0)], from: 1, to: chartWidth - labelWidth, count: 6, rounding: false)
        let bottom = height - 22
        let ticks = x.ticks.map { tick -> Markup in
            """
            <path class="grid" d="M\(x.position(tick)) \(top)V\(bottom)" />\
            <text class="soft\(tick == 0 ? "" : " middle")" x="\(x.position(tick))" y="\(height - 8)">\(x.label(tick))</text>
            """
        }
        return """
            \(legend(series, y: 30, bars: true))
            \(ticks)
            \(groups.indices.map { group($0, x) })
            """
    }

    private func group(_ index: Int, _ x: Axis) -> Markup {
        let y = top + groupHeight * Double(index)
        let bars = groups[index].bars.enumerated().filter { $0.element.isFinite }
        return """
            <text x="1" y="\(y + 17)">\(groups[index].name)</text>
            \(bars.map { bar($0.element, number: $0.offset, y + 22 + Self.barHeight * Double($0.offset), x) })
            """
    }

    private func bar(_ bar: Bar, number: Int, _ y: Double, _ x: Axis) -> Markup {
        let (end, middle) = (x.position(bar.value), y + Self.barHeight / 2 - 1)
        let (low, high) = (x.position(max(0, bar.value - bar.deviation)), x.position(bar.value + bar.deviation))
        let whisker: Markup = bar.deviation > 0 ? "<path class=\"whisker\" d=\"M\(low) \(middle)H\(high)\" />" : ""
        return """
            <g class="s\(number % 4)"><rect class="fill" x="1" y="\(y)" width="\(max(0, end - 1))" \
            height="\(Self.barHeight - 2)" rx="1.5" /></g>\(whisker)\
            <text x="\(high + 5)" y="\(middle + 4)">\(valueText(bar))</text>
            """
    }
}
