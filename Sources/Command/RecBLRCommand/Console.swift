import Report
package import Training

/// Where the words of a command go, and what may stop it: the streams and signals of the process, or whoever runs a command inside of
/// another program.
package struct Console: Sendable {
    /// Takes a part of the result.
    package var output: @Sendable (String) throws(OutputError) -> Void
    /// Takes a sentence for people, or some lines of them.
    package var message: @Sendable (String) -> Void
    /// Takes what training is doing, many times a second; nil where it is drawn on the terminal.
    package var training: (@Sendable (TrainingEvent) -> Void)?
    /// Whether the command has been asked to stop.
    package var isStopped: @Sendable () -> Bool

    package init(
        output: @escaping @Sendable (String) throws(OutputError) -> Void, message: @escaping @Sendable (String) -> Void,
        training: @escaping @Sendable (TrainingEvent) -> Void, isStopped: @escaping @Sendable () -> Bool
    ) {
        (self.output, self.message, self.training, self.isStopped) = (output, message, training, isStopped)
    }

    /// That of the command which this thread runs.
    @TaskLocal static var current = Console.ofProcess

    private static let ofProcess = Console()

    private init() {
        output = writeOutput
        message = writeMessage
        training = nil
        isStopped = { StopSignals.wereReceived }
    }

    /// Whether it is the process's own, which may have a terminal and signals.
    var isOfProcess: Bool { training == nil }
}

/// Gives a part of the result to the console, at once. Not for text that comes in many small parts: each call may be a system call.
func printOutput(_ text: String, terminator: String = "\n") throws(OutputError) {
    try Console.current.output(text + terminator)
}

/// Gives a message to the console, without control characters except line ends.
func printError(_ text: String) {
    Console.current.message(
        text.split(separator: "\n", omittingEmptySubsequences: false).map { printable(String($0)) }.joined(
            separator: "\n"))
}
