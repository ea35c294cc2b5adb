import Foundation

/// A number with `digits` decimals; a dash where it is not finite.
public func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite else { return "–" }
    // A program around the library may have chosen a locale whose decimal point is another.
    return String(String(format: "%.\(digits)f", value).map { "-0123456789".contains($0) ? $0 : "." })
}

/// "2 min 05 s", "14 s".
public func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60 < 10 ? "0" : "")\(whole % 60) s" }
    return "\(whole / 3600) h \(whole / 60 % 60 < 10 ? "0" : "")\(whole / 60 % 60) min"
}
