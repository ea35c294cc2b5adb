import ArgumentParser
import ErrorSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How a command ended.
package struct Ending: Sendable {
    /// 0, or one of ``ExitStatus``.
    package let code: Int32
    /// What went wrong, in the words of the program's options; nil where nothing did.
    package let message: String?
    /// Whether who reads the output has closed it.
    let readerIsGone: Bool

    /// Runs a command, as the program does, on this console.
    package static func ofCommand(_ arguments: [String], on console: Console) -> Ending {
        Console.$current.withValue(console) { ofCommand(arguments) }
    }

    /// Runs a command on the process's own console.
    static func ofCommand(_ arguments: [String]) -> Ending {
        do {
            var command = try RecBLRCommand.parseAsRoot(joiningNegativeNumbers(arguments))
            try command.run()
            return Ending(code: 0, message: nil)
        } catch { return Ending(error) }
    }

    private init(code: Int32, message: String?, readerIsGone: Bool = false) {
        (self.code, self.message, self.readerIsGone) = (code, message, readerIsGone)
    }

    /// What an error, or a request for help, that a command threw means.
    init(_ error: any Error) {
        switch error {
        case OutputError.readerIsGone: self.init(code: 128 + SIGPIPE, message: nil, readerIsGone: true)
        case let error as OutputError: self.init(fail(.cannotCreate, error.description))
        case let error as any UserFacingError:
            self.init(code: error.exitStatus.rawValue, message: sentence(error))
        case let code as ExitCode: self.init(code: code.rawValue, message: nil)
        default: self.init(ofArguments: error)
        }
    }

    private init(ofArguments error: any Error) {
        let (code, text) = (RecBLRCommand.exitCode(for: error), RecBLRCommand.fullMessage(for: error))
        switch code {
        case .success:
            do { try printOutput(text) } catch {
                self.init(error)
                return
            }
            self.init(code: 0, message: nil)
        case .validationFailure: self.init(code: code.rawValue, message: text)
        default: self.init(fail(.internalError, "unexpected error: \(error)"))
        }
    }
}

/// `--option -1` as `--option=-1`, which is not parsed as another option, so that the error for a negative number names the range.
private func joiningNegativeNumbers(_ arguments: [String]) -> [String] {
    arguments.reduce(into: []) { joined, argument in
        let isNumber = argument.hasPrefix("-") && Double(argument) != nil
        if isNumber, let last = joined.last, last.hasPrefix("-"), last != "--", !last.contains("=") {
            joined[joined.count - 1] += "=" + argument
        } else {
            joined.append(argument)
        }
    }
}
