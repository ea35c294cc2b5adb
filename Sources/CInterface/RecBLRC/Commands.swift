// The functions have the names of recblr.h.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CRecBLR
import ErrorSupport
import RecBLRCommand
import Synchronization
import Training

@c @implementation
public func recblr_run(
    _ arguments: UnsafePointer<recblr_text>?, _ count: Int, _ observer: UnsafePointer<recblr_observer>?,
    _ output: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    call(error) {
        let arguments = try texts(arguments, count)
        let place = try place(output, "output")
        guard let name = arguments.first, name != "serve" else {
            throw CallError(
                .usage,
                arguments.isEmpty
                    ? "there is no command" : "serve is for a process of its own: start the program recblr")
        }
        try requireOwnThreads()
        let written = Written()
        let ending = Ending.ofCommand(arguments, on: Observer(observer).console(written))
        if ending.code != 0 {
            throw CallError(
                ExitStatus(rawValue: ending.code) ?? .internalError,
                ending.message ?? "recblr ended with code \(ending.code)")
        }
        place.pointee = handedOut(CText(written.text.withLock { $0 }))
    }
}

@c @implementation
public func recblr_main(_ argc: Int32, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) {
    Program.main(argumentCount: Int(argc), argv)
}

private func texts(_ texts: UnsafePointer<recblr_text>?, _ count: Int) throws(CallError) -> [String] {
    guard count != 0 else { return [] }
    guard count > 0 else { throw CallError(.usage, "arguments: a count of \(UInt(bitPattern: count)) cannot be") }
    guard let texts else { throw CallError(.usage, "arguments: the pointer is NULL, their count is \(count)") }
    var result: [String] = []
    for index in 0..<count { result.append(try texts[index].argument("argument \(index + 1)")) }
    return result
}

/// What a command wrote on its output.
private final class Written: Sendable {
    let text = Mutex("")
}

/// A caller's observer.
///
/// Sendable, since a console has to be: commands use theirs on the thread of the call only.
struct Observer: @unchecked Sendable {
    private let functions: recblr_observer

    init(_ pointer: UnsafePointer<recblr_observer>?) { functions = pointer?.pointee ?? recblr_observer() }

    /// Tells the caller.
    func message(_ text: String) {
        guard let tell = functions.message else { return }
        let text = CText(text)
        withExtendedLifetime(text) { tell(functions.context, text.text) }
    }

    var isStopped: Bool { functions.is_stopped.map { $0(functions.context) != 0 } ?? false }

    func training(_ event: TrainingEvent) {
        guard let tell = functions.progress, case .step(let step) = event else { return }
        var progress = recblr_progress(
            epoch: Int32(clamping: step.epoch), epochs: Int32(clamping: step.epochs), step: Int64(step.batch),
            steps: Int64(step.batches), loss: step.loss, events_per_second: step.tokensPerSecond)
        tell(functions.context, &progress)
    }

    fileprivate func console(_ written: Written) -> Console {
        Console(
            output: { text in written.text.withLock { $0 += text } }, message: message, training: training,
            isStopped: { isStopped })
    }
}
