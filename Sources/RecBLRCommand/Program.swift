import ArgumentParser
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where the process begins and ends.
@main
enum Program {
    static func main() {
        // What cannot be written is an error of the call, not a signal that ends the program.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        do {
            var command = try RecBLRCommand.parseAsRoot()
            try command.run()
        } catch {
            exit(end(with: error).rawValue)
        }
    }

    /// Says what went wrong, or gives the help that was asked for.
    private static func end(with error: any Error) -> ExitCode {
        if let error = error as? OutputError { return end(with: error) }
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
            // As if nobody had kept the signal away: quiet, and the shell sees 128 + SIGPIPE.
            signal(SIGPIPE, SIG_DFL)
            raise(SIGPIPE)
            return ExitCode(128 + SIGPIPE)
        case .failed: return fail(.cannotCreate, error.description)
        }
    }
}
