import ErrorSupport
import FileSupport
import Foundation

extension TokenKeys {
    /// Those in the file that the settings name: a line for the current key and, where tokens of the one before it are still about, a line for
    /// that one. Where no file is named, a key that ends with the process.
    init(_ settings: ServiceSettings) throws(SettingError) {
        guard let path = settings.tokenKeys else {
            self = .random()
            return
        }
        let bytes = try SettingError.wrapping { () throws(FileError) in try readFile(URL(fileURLWithPath: path)) }
        let keys = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(Self.key)
        guard (1...2).contains(keys.count), let current = keys[0], let previous = keys.last ?? nil else {
            throw SettingError("\(path): expected one or two lines of \(2 * Self.bytes) hexadecimal digits", .badData)
        }
        self.init(current: current, previous: keys.count == 2 ? previous : nil)
    }

    /// The bytes of a key in hexadecimal digits; nil where it is none.
    private static func key(_ text: Substring) -> [UInt8]? {
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == 2 * bytes, text.count == digits.count else { return nil }
        return (0..<bytes).map { UInt8(16 * digits[2 * $0] + digits[2 * $0 + 1]) }
    }
}
