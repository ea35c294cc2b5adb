import ArgumentParser
import ErrorSupport
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The entry point of the process.
@main
enum Program {
    static func main() {
        // A write to a closed pipe is an error of the call, not a signal that ends the program.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        do {
            var command = try RecBLRCommand.parseAsRoot(try arguments())
            try command.run()
        } catch {
            exit(end(with: error).rawValue)
        }
    }

    /// The arguments. Throws where they are not UTF-8, which Foundation would change silently.
    private static func arguments() throws -> [String] {
        let count = Int(CommandLine.argc)
        let all = try (1..<max(1, count)).map { index in
            guard let bytes = CommandLine.unsafeArgv[index], let text = String(validatingCString: bytes) else {
                throw fail(.usage, "argument \(index) is not UTF-8: rename what it names")
            }
            return text
        }
        guard
            getcwd(nil, 0).map({ path in
                defer { free(path) }
                return String(validatingCString: path) != nil
            }) ?? true
        else { throw fail(.usage, "the name of the current folder is not UTF-8: rename it, or work in another") }
        return joiningNegativeNumbers(all)
    }

    /// `--option -1` as `--option=-1`, which is not parsed as another option, so that the error for a negative number names the range.
    private static func joiningNegativeNumbers(_ arguments: [String]) -> [String] {
        arguments.reduce(into: []) { joined, argument in
            let isNumber = argument.hasPrefix("-") && Double(argument) != nil
            if isNumber, let last = joined.last, last.hasPrefix("-"), last != "--", !last.contains("=") {
                joined[joined.count - 1] += "=" + argument
            } else {
                joined.append(argument)
            }
        }
    }

    /// Prints the error, or the requested help; returns the exit code.
    private static func end(with error: any Error) -> ExitCode {
        if let error = error as? OutputError { return end(with: error) }
        if let error = error as? any UserFacingError { return fail(error) }
        if let code = error as? ExitCode { return code }
        let (code, text) = (RecBLRCommand.exitCode(for: error), RecBLRCommand.fullMessage(for: error))
        switch code {
        case .success:
            do { try printOutput(text) } catch { return end(with: error) }
            return code
        case .validationFailure:
            printError(text)
            return code
        default: return fail(.internalError, "unexpected error: \(error)")
        }
    }

    private static func end(with error: OutputError) -> ExitCode {
        switch error {
        case .readerIsGone:
            // As with the signal's default action: quiet, and the shell sees 128 + SIGPIPE.
            signal(SIGPIPE, SIG_DFL)
            raise(SIGPIPE)
            return ExitCode(128 + SIGPIPE)
        case .failed: return fail(.cannotCreate, error.description)
        }
    }
}
