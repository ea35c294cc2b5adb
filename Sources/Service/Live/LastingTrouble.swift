import Logging

/// A trouble that can last, and happens again with every try meanwhile. The log is told when it begins, once a minute while it lasts, and when it
/// ends.
struct LastingTrouble {
    private static let pause = Duration.seconds(60)
    private let logger: Logger
    private let level: Logger.Level
    private let message, end: Logger.Message
    private var times = 0
    private var told = ContinuousClock.now

    init(_ logger: Logger, _ level: Logger.Level, _ message: Logger.Message, end: Logger.Message) {
        (self.logger, self.level, self.message, self.end) = (logger, level, message, end)
    }

    /// It happened.
    mutating func happened(_ reason: any Error, at now: ContinuousClock.Instant = .now) {
        times += 1
        guard times == 1 || now - told >= Self.pause else { return }
        told = now
        logger.log(
            level: level, message, metadata: ["reason": "\(reason)", "times": .stringConvertible(times)])
    }

    /// It did not happen.
    mutating func ended() {
        guard times > 0 else { return }
        logger.notice(end, metadata: ["times": .stringConvertible(times)])
        times = 0
    }
}
