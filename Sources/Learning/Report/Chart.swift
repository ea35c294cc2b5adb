/// A chart as SVG: it scales to any width, adapts its colours to light and dark pages, and has a text alternative.
public protocol Chart: Sendable {
    /// The text above the drawing.
    var title: String { get }
    /// The text alternative for screen readers.
    var description: String { get }
    /// Height in the units of ``chartWidth``.
    var height: Double { get }
    /// The drawing below the title.
    var drawing: Markup { get }
}

/// Width of every chart's coordinates: that of a phone, so that text is not scaled there.
let chartWidth = 360.0

extension Chart {
    /// An SVG element for a page that has ``chartStyle``.
    var svg: Markup {
        """
        <svg class="chart" viewBox="0 0 \(chartWidth) \(height)" role="img">
        <title>\(title)</title><desc>\(description)</desc>
        <text class="title" x="0" y="13">\(title)</text>
        \(drawing)
        </svg>
        """
    }
}

/// An SVG file of its own with the charts one below the other.
public func svgFile(_ charts: [any Chart]) -> String {
    let margin = 16.0
    var parts: [Markup] = []
    var y = margin
    for chart in charts {
        parts.append(
            "<svg x=\"\(margin)\" y=\"\(y)\" width=\"\(chartWidth)\" height=\"\(chart.height)\">\(chart.svg)</svg>")
        y += chart.height + margin
    }
    let (width, height) = (chartWidth + 2 * margin, y)
    let file: Markup = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(2 * width)" height="\(2 * height)">
        <style>\(chartStyle) svg { color: #1c2430; } .paper { fill: #fff; }
        @media (prefers-color-scheme: dark) { svg { color: #e4e8ee; } .paper { fill: #14181f; } }</style>
        <rect class="paper" width="100%" height="100%" />
        \(parts)
        </svg>

        """
    return file.text
}

/// The style of charts: dashes and colours that colour-blind readers can distinguish.
let chartStyle: Markup = """
    .chart { font: 11px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; display: block; width: 100%; }
    .chart text { fill: currentColor; } .chart .title { font-size: 13px; font-weight: 600; }
    .chart .soft { opacity: .72; } .chart .grid { stroke: currentColor; opacity: .16; }
    .chart .end { text-anchor: end; } .chart .middle { text-anchor: middle; }
    .chart .mark { stroke: currentColor; opacity: .5; stroke-dasharray: 2 3; }
    .line { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
    .whisker { stroke: currentColor; stroke-width: 1.2; } .fill { fill: currentColor; }
    .s0 { color: #0b66c3; } .s1 { color: #b8480a; } .s2 { color: #0f7b5f; } .s3 { color: #8a3ea8; }
    .s1 .line { stroke-dasharray: 7 4; } .s2 .line { stroke-dasharray: 2 4; } .s3 .line { stroke-dasharray: 9 3 2 3; }
    @media (prefers-color-scheme: dark) {
    .s0 { color: #6ab0ff; } .s1 { color: #ffa566; } .s2 { color: #57d3ad; } .s3 { color: #d59cf0; } }
    """

/// Names of the series in a row at `y`, each behind a stroke or a bar in its colour; nothing for a single one.
func legend(_ names: [String], y: Double, bars: Bool = false) -> Markup {
    guard names.count > 1 else { return "" }
    var x = 0.0
    let entries = names.enumerated().map { index, name -> Markup in
        defer { x += 36 + 6.2 * Double(name.count) }
        let sample: Markup =
            bars
            ? "<rect class=\"fill\" x=\"\(x)\" y=\"\(y - 5)\" width=\"18\" height=\"10\" rx=\"1.5\" />"
            : "<path class=\"line\" d=\"M\(x) \(y)h18\" />"
        return """
            <g class="s\(index % 4)">\(sample)</g><text class="soft" x="\(x + 23)" y="\(y + 4)">\(name)</text>
            """
    }
    return "\(entries)"
}
