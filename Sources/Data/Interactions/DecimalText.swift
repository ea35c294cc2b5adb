/// The exact value of a number in decimal notation: digits · 10^exponent.
struct DecimalText {
    private let digits: [UInt8]
    private let isNegative: Bool
    private let exponent: Int

    /// Parses digits with sign, fraction and exponent; nil if the text is anything else.
    init?(_ bytes: Bytes) {
        guard bytes.count <= 64 else { return nil }
        var cursor = TextCursor(bytes)
        isNegative = cursor.take("-")
        if !isNegative { _ = cursor.take("+") }
        var (digits, count, shift): ([UInt8], Int, Int) = ([], 0, 0)
        func takeDigits(_ cursor: inout TextCursor) {
            while let next = cursor.next, (0x30...0x39).contains(next) {
                if next > 0x30 || !digits.isEmpty { digits.append(next - 0x30) }
                count += 1
                cursor.skip()
            }
        }
        takeDigits(&cursor)
        if cursor.take(".") {
            let before = count
            takeDigits(&cursor)
            shift = count - before
        }
        guard count > 0 else { return nil }
        var power = 0
        if cursor.take("e") || cursor.take("E") {
            let isSmall = cursor.take("-")
            if !isSmall { _ = cursor.take("+") }
            guard let value = cursor.takeDigits(4)?.value else { return nil }
            power = isSmall ? -value : value
        }
        guard cursor.isAtEnd else { return nil }
        self.digits = digits
        exponent = power - shift
    }

    /// Whether the last whole digits are missing, as in 1.65611E+09, which is how spreadsheets display long numbers.
    var isCoarse: Bool { exponent > 0 }

    /// The number times 10^`places`, rounded down; nil if that takes more than 64 bits.
    func scaled(by places: Int) -> Int64? {
        let shift = exponent + places
        if digits.isEmpty { return 0 }
        guard digits.count + shift <= 19 else { return nil }
        let wholeCount = max(0, digits.count + min(0, shift))
        var value: UInt64 = 0
        for digit in digits[0..<wholeCount] { value = 10 * value + UInt64(digit) }
        for _ in 0..<max(0, shift) { value *= 10 }
        let isRounded = digits[wholeCount...].contains { $0 > 0 }
        guard value <= UInt64(Int64.max) else { return nil }
        return isNegative ? -Int64(value) - (isRounded ? 1 : 0) : Int64(value)
    }
}
