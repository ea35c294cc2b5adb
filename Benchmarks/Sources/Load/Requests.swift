import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a load asks for.
enum LoadKind: String, CaseIterable, Encodable, Sendable {
    /// One event of a user, answered with the ten best next items.
    case appendAndRecommend = "append-recommend"
    /// The ten best next items of a user.
    case recommend
    /// One event of a user.
    case append
}

/// Whole numbers below a count, where the number at place k of popularity has a probability proportional to 1/k. Which number has
/// which place is random.
struct ZipfNumbers {
    private let cumulative: [Double]
    private let numbers: [Int]

    init(below count: Int, using generator: inout SplitMix) {
        var sum = 0.0
        cumulative = (1...count).map { place in
            sum += 1 / Double(place)
            return sum
        }
        numbers = (0..<count).shuffled(using: &generator)
    }

    /// O(log count).
    func next(using generator: inout SplitMix) -> Int {
        let value = Double.random(in: 0..<cumulative.last!, using: &generator)
        var (low, high) = (0, cumulative.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] > value { high = middle } else { low = middle + 1 }
        }
        return numbers[low]
    }
}

/// Vigna's SplitMix64: the same numbers for the same seed.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}

/// Requests that are made before the clock runs and used again and again; only the number in an event's id changes.
struct RequestRing {
    private static let digits = 12
    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    /// Where the number of each request's event id begins; nil where it has none.
    private var numbers: [Int?] = []
    private var count = 0

    /// Requests of `users` users, "u0", "u1", …, and of the items with these ids. `run` tells one run's event ids from another's.
    init(_ kind: LoadKind, users: Int, items: [String], run: String, seed: UInt64, length: Int = 1 << 16) {
        var generator = SplitMix(seed: seed)
        let userNumbers = ZipfNumbers(below: users, using: &generator)
        let itemNumbers = ZipfNumbers(below: items.count, using: &generator)
        let quoted = items.map(jsonString)
        for _ in 0..<length {
            let user = "u\(userNumbers.next(using: &generator))"
            let item = quoted[itemNumbers.next(using: &generator)]
            let place = bytes.count
            let request = Self.request(kind, user: user, item: item, run: run)
            bytes += request.utf8
            ends.append(bytes.count)
            numbers.append(request.utf8Offset(of: "#").map { place + $0 })
        }
    }

    private static func request(_ kind: LoadKind, user: String, item: String, run: String) -> String {
        let id = String(repeating: "#", count: digits)
        let event = #"{"item":\#(item),"eventId":"\#(run)-\#(id)"}"#
        return switch kind {
        case .appendAndRecommend: httpRequest("POST", "/v1/users/\(user)/events?recommend=10", body: event)
        case .append: httpRequest("POST", "/v1/users/\(user)/events", body: event)
        case .recommend: httpRequest("GET", "/v1/users/\(user)/recommendations?n=10")
        }
    }

    /// The next request.
    mutating func next() -> ArraySlice<UInt8> {
        let index = count % ends.count
        if let place = numbers[index] {
            var rest = count
            for digit in stride(from: place + Self.digits - 1, through: place, by: -1) {
                bytes[digit] = UInt8(48 + rest % 10)
                rest /= 10
            }
        }
        count += 1
        return bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }
}

extension String {
    fileprivate func utf8Offset(of character: Character) -> Int? {
        firstIndex(of: character).map { utf8.distance(from: startIndex, to: $0) }
    }
}

/// A string between quotes, as in JSON.
func jsonString(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return String(decoding: try! encoder.encode(text), as: UTF8.self)
}

/// The text of a request; `path` is percent-encoded.
func httpRequest(_ method: String, _ path: String, body: String = "") -> String {
    let head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    guard !body.isEmpty else { return head + "\r\n" }
    return head + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body
}
