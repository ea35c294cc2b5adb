import FileSupport

/// Curves over a numeric axis.
public struct LineChart: Chart {
    /// A point, with a standard deviation where it is a mean.
    public struct Point: Sendable, Equatable {
        /// Position on the horizontal axis.
        public var x: Double
        /// The value.
        public var y: Double
        /// Drawn as an error bar; 0 draws none.
        public var deviation: Double

        /// The point (`x`, `y`), with an error bar of ± `deviation`.
        public init(_ x: Double, _ y: Double, deviation: Double = 0) {
            (self.x, self.y, self.deviation) = (x, y, deviation)
        }
    }

    /// One curve.
    public struct Series: Sendable, Equatable {
        /// Name in the legend.
        public var name: String
        /// The points in order of x. Points that are not finite are not drawn.
        public var points: [Point]

        /// The curve `name` through these points.
        public init(_ name: String, _ points: [Point]) { (self.name, self.points) = (name, points) }
    }

    public let title: String
    public let height = 220.0
    /// Label of the horizontal axis.
    public let xLabel: String
    /// A position that is marked with a vertical line and a label.
    public let mark: (x: Double, label: String)?
    private let series: [Series]
    private let digits: Int
    private let startsAtZero: Bool
    private let wholeNumbers: Bool

    /// A chart of at most four curves. Values have `digits` decimals in the text alternative; where `wholeNumbers`, the ticks of the
    /// horizontal axis are whole numbers.
    public init(
        _ title: String, xLabel: String, _ series: [Series], digits: Int, startsAtZero: Bool = false,
        wholeNumbers: Bool = true, mark: (x: Double, label: String)? = nil
    ) {
        self.title = title
        self.xLabel = xLabel
        self.series = series.map { series in
            Series(series.name, series.points.filter { $0.x.isFinite && $0.y.isFinite && $0.deviation.isFinite })
        }
        self.digits = digits
        self.startsAtZero = startsAtZero
        self.wholeNumbers = wholeNumbers
        self.mark = mark
    }

    public var description: String {
        let parts = series.compactMap { series -> String? in
            guard let first = series.points.first, let last = series.points.last else { return nil }
            let range = first == last ? valueText(first) : "from \(valueText(first)) to \(valueText(last))"
            return "\(series.name): \(range)"
        }
        return parts.isEmpty ? "No data." : parts.joined(separator: "; ") + "."
    }

    private func valueText(_ point: Point) -> String {
        let x = point.x == point.x.rounded() ? grouped(Int(point.x)) : fixed(point.x, 2)
        let spread = point.deviation > 0 ? " ± \(fixed(point.deviation, digits))" : ""
        return "\(fixed(point.y, digits))\(spread) (\(xLabel) \(x))"
    }

    public var drawing: Markup {
        let points = series.flatMap(\.points)
        guard !points.isEmpty else { return "<text class=\"soft\" x=\"0\" y=\"40\">No data.</text>" }
        let (top, bottom) = (series.count > 1 ? 54.0 : 30.0, height - 36)
        let ends = points.map { $0.y - $0.deviation } + points.map { $0.y + $0.deviation }
        let y = Axis(startsAtZero ? ends + [0] : ends, from: bottom, to: top)
        let left = 8 + 6.4 * Double(y.ticks.map { y.label($0).count }.max() ?? 0)
        let x = Axis(
            points.map(\.x) + (mark.map { [$0.x] } ?? []), from: left + 6, to: chartWidth - 8, count: 7,
            rounding: false,
            smallestStep: wholeNumbers ? 1 : 0)
        let curves = series.enumerated().map { curve($0.element, number: $0.offset, x, y) }
        return """
            \(legend(series.map(\.name), y: 30))
            \(y.ticks.map { horizontal(y.label($0), y.position($0), left) })
            \(x.ticks.map { "<text class=\"soft middle\" x=\"\(x.position($0))\" y=\"\(bottom + 15)\">\(x.label($0))</text>" })
            <text class="soft middle" x="\((left + chartWidth) / 2)" y="\(height - 4)">\(xLabel)</text>
            \(mark.map { vertical($0.label, x.position($0.x), left, top, bottom) } ?? "")
            \(curves)
            """
    }

    private func horizontal(_ label: String, _ y: Double, _ left: Double) -> Markup {
        """
        <path class="grid" d="M\(left) \(y)H\(chartWidth)" />\
        <text class="soft end" x="\(left - 4)" y="\(y + 4)">\(label)</text>
        """
    }

    private func vertical(_ label: String, _ x: Double, _ left: Double, _ top: Double, _ bottom: Double) -> Markup {
        """
        <path class="mark" d="M\(x) \(top)V\(bottom)" />\
        <text class="soft middle" x="\(min(max(x, left + 14), chartWidth - 14))" y="\(top - 4)">\(label)</text>
        """
    }

    /// A line, error bars, and dots with tooltips unless they would overlap.
    private func curve(_ series: Series, number: Int, _ x: Axis, _ y: Axis) -> Markup {
        let places = series.points.map { (x.position($0.x), y.position($0.y)) }
        let path = places.map { "\(fixed($0, 1)) \(fixed($1, 1))" }.joined(separator: "L")
        let line: Markup = places.count > 1 ? "<path class=\"line\" d=\"M\(path)\" />" : ""
        let whiskers = series.points.filter { $0.deviation > 0 }.map { point -> Markup in
            let (low, high) = (y.position(point.y - point.deviation), y.position(point.y + point.deviation))
            return "<path class=\"whisker\" d=\"M\(x.position(point.x)) \(low)V\(high)\" />"
        }
        let dots = zip(series.points, places).map { point, place -> Markup in
            "<circle class=\"fill\" cx=\"\(place.0)\" cy=\"\(place.1)\" r=\"2.6\"><title>\(valueText(point))</title></circle>"
        }
        return "<g class=\"s\(number % 4)\">\(line)\(whiskers)\(dots.count <= 60 ? dots : [])</g>"
    }
}
