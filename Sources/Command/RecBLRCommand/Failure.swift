import ArgumentParser
import CUDABackend
import Evaluation
import FileSupport
import Foundation
import Interactions
import ModelStore
import Models
import Report
import Serving
import Training

/// Exit codes, after BSD's sysexits.
enum ExitStatus: Int32 {
    case usage = 64
    case badData = 65
    case noInput = 66
    case unavailable = 69
    case internalError = 70
    case systemError = 71
    case cannotCreate = 73
    case interrupted = 75
}

/// Ends the program with one sentence on standard error.
func fail(_ status: ExitStatus, _ message: String) -> ExitCode {
    printError("recblr: " + printable(message))
    return ExitCode(status.rawValue)
}

/// Runs `body`; an error of the library ends the program with its sentence and code.
func reportingErrors<Value>(_ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as DatasetError {
        throw fail(status(error), error.description)
    } catch let error as ModelFileError {
        throw fail(status(error), error.description)
    } catch let error as TrainingError {
        throw fail(status(error), error.description)
    } catch let error as FileError {
        throw fail(status(error), error.description)
    } catch let error as EvaluationError {
        throw fail(status(error), error.description)
    } catch let error as RecommendError {
        throw fail(status(error), error.description)
    } catch let error as CUDAError {
        throw fail(.unavailable, error.description)
    } catch let error as ConfigurationError {
        throw fail(.usage, error.description)
    }
}

private func status(_ error: FileError) -> ExitStatus {
    switch error.operation {
    case "open", "inspect", "map", "read the folder": .noInput
    case "create", "write", "write into", "sync", "rename to", "replace": .cannotCreate
    default: .badData
    }
}

private func status(_ error: DatasetError) -> ExitStatus {
    if case .file(let file) = error { status(file) } else { .badData }
}

private func status(_ error: ModelFileError) -> ExitStatus {
    switch error {
    case .file(let file): status(file)
    case .malformed, .configuration: .badData
    case .device: .unavailable
    }
}

private func status(_ error: EvaluationError) -> ExitStatus {
    if case .device = error { .unavailable } else { .badData }
}

private func status(_ error: RecommendError) -> ExitStatus {
    if case .device = error { .unavailable } else { .badData }
}

private func status(_ error: TrainingError) -> ExitStatus {
    switch error {
    case .option, .configuration, .memory: .usage
    case .nothingToLearn, .otherRun, .diverged: .badData
    case .evaluation(let error): status(error)
    case .device: .unavailable
    case .file(let file): status(file)
    }
}
