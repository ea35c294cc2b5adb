/// "1,234,567".
public func grouped(_ value: Int) -> String {
    var text = ""
    for (index, digit) in String(value).reversed().enumerated() {
        if index > 0, index % 3 == 0, digit != "-" { text = "," + text }
        text = String(digit) + text
    }
    return text
}

/// "1 event", "1,234 events".
public func counted(_ count: Int, _ noun: String) -> String { "\(grouped(count)) \(noun)\(count == 1 ? "" : "s")" }
