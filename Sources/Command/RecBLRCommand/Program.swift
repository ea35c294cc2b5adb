import ErrorSupport
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The process `recblr`.
public enum Program {
    /// Runs the command that the process's arguments name, and ends the process.
    public static func main() { main(argumentCount: Int(CommandLine.argc), CommandLine.unsafeArgv) }

    /// The same for the arguments of a C program's `main`, of which the first is its name.
    package static func main(argumentCount: Int, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) {
        // A write to a closed pipe is an error of the call, not a signal that ends the program.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        let ending: Ending
        do { ending = Ending.ofCommand(try texts(argumentCount, arguments)) } catch { ending = Ending(error) }
        if let message = ending.message { printError("recblr: " + message) }
        if ending.readerIsGone {
            // As with the signal's default action: quiet, and the shell sees 128 + SIGPIPE.
            signal(SIGPIPE, SIG_DFL)
            raise(SIGPIPE)
        }
        exit(ending.code)
    }

    /// The arguments. Throws where they are not UTF-8, which Foundation would change silently.
    private static func texts(
        _ count: Int, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) throws -> [String] {
        let all = try (1..<max(1, count)).map { index in
            guard let bytes = arguments?[index], let text = String(validatingCString: bytes) else {
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
        return all
    }
}
