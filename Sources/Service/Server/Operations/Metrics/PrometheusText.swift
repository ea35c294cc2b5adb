/// What kind of metric a name stands for.
enum MetricKind {
    case counter, gauge, histogram
    /// A histogram of seconds.
    case timer

    /// What names of this kind end with.
    fileprivate var suffix: String {
        switch self {
        case .counter: "_total"
        case .timer: "_seconds"
        case .gauge, .histogram: ""
        }
    }

    /// The word of the TYPE line.
    fileprivate var word: String {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram, .timer: "histogram"
        }
    }
}

/// The lines that say what a metric means and of what type it is.
func header(_ name: String, _ kind: MetricKind, _ help: String) -> String {
    let help = help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    return "# HELP \(name) \(help)\n# TYPE \(name) \(kind.word)\n"
}

/// The full name of a metric: `recblr_`, the label with underscores, and what its kind asks for.
func metricName(_ label: String, _ kind: MetricKind) -> String {
    let name = label.hasPrefix("recblr_") ? identifier(label) : "recblr_" + identifier(label)
    return name.hasSuffix(kind.suffix) ? name : name + kind.suffix
}

/// Labels as they stand between braces, in the order of their names.
func labelText(_ dimensions: [(String, String)]) -> String {
    dimensions.sorted { $0.0 < $1.0 }.map { "\(identifier($0.0))=\"\(escaped($0.1))\"" }.joined(separator: ",")
}

/// A label's value with backslashes, quotes and line ends escaped.
func escaped(_ value: String) -> String {
    value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
}

/// The line of one sample.
func sample(_ name: String, _ labels: String, _ value: String) -> String {
    labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
}

/// A number as Prometheus reads it.
func number(_ value: Double) -> String {
    if let whole = Int64(exactly: value) { return String(whole) }
    return value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)"
}

/// The text with underscores in place of everything but ASCII letters, digits and underscores; not beginning with a digit.
private func identifier(_ text: String) -> String {
    let name = String(
        text.unicodeScalars.map {
            $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0)) ? Character($0) : "_"
        })
    return name.first?.isNumber ?? true ? "_" + name : name
}
