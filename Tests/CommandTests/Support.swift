import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A folder that goes when the test is over.
final class Workplace {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("recblr-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    func write(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(to: url.appendingPathComponent(name))
    }

    func bytes(_ name: String) throws -> Data { try Data(contentsOf: url.appendingPathComponent(name)) }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    /// Names in the folder, or in one of its folders, hidden ones included.
    func names(in folder: String = ".") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(folder)).sorted()
    }

    /// Paths of everything in it.
    func tree() throws -> [String] { try FileManager.default.subpathsOfDirectory(atPath: url.path).sorted() }
}

struct Outcome {
    var status: Int32
    var output: String
    var error: String
}

/// The program that was built with these tests.
let program: URL = {
    let bundle = URL(fileURLWithPath: CommandLine.arguments[0])
    var folder = bundle.deletingLastPathComponent()
    while !FileManager.default.isExecutableFile(atPath: folder.appendingPathComponent("recblr").path),
        folder.path != "/"
    {
        folder.deleteLastPathComponent()
    }
    return folder.appendingPathComponent("recblr")
}()

/// Starts the program in a folder; its output goes to files there, its errors to `error` where that is given. It finds no GPU unless the environment has one for it.
func start(
    _ arguments: [String], of executable: URL = program, in place: Workplace, environment: [String: String] = [:],
    tag: String = "run", error: FileHandle? = nil
) throws -> Process {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = place.url
    let usual = [
        "COLUMNS": "100", "CUDA_VISIBLE_DEVICES": "", "RECBLR_CUDA_PATH": "", "XDG_CACHE_HOME": place.path(".cache"),
    ]
    process.environment = ProcessInfo.processInfo.environment.merging(usual) { $1 }.merging(environment) { $1 }
    for (name, keyPath) in [(".\(tag).out", \Process.standardOutput), (".\(tag).err", \Process.standardError)] {
        _ = FileManager.default.createFile(atPath: place.path(name), contents: nil)
        process[keyPath: keyPath] = FileHandle(forWritingAtPath: place.path(name))
    }
    if let error { process.standardError = error }
    try process.run()
    return process
}

/// Where a training of `model` has its checkpoint.
let checkpointOfModel = "model.training/checkpoint.safetensors"

/// Waits until a process has written a file or folder, or is over.
func wait(for name: String, by process: Process, in place: Workplace) {
    while process.isRunning, !place.exists(name) { usleep(1_000) }
}

/// Starts the program and kills it when it has written a file or folder, unless it is over before.
func kill(at name: String, _ arguments: [String], in place: Workplace) throws {
    let process = try start(arguments, in: place)
    wait(for: name, by: process, in: place)
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
}

/// Runs the program to its end. Its files of output are removed again.
func run(
    _ arguments: [String], of executable: URL = program, in place: Workplace, environment: [String: String] = [:]
) throws -> Outcome {
    let tag = UUID().uuidString
    let process = try start(arguments, of: executable, in: place, environment: environment, tag: tag)
    process.waitUntilExit()
    func take(_ name: String) throws -> String {
        defer { try? FileManager.default.removeItem(atPath: place.path(name)) }
        return String(decoding: try place.bytes(name), as: UTF8.self)
    }
    return Outcome(status: process.terminationStatus, output: try take(".\(tag).out"), error: try take(".\(tag).err"))
}

/// Runs a line of the shell in which `recblr` is the program.
func shell(_ line: String, in place: Workplace, environment: [String: String] = [:]) throws -> Outcome {
    try run(
        ["-c", "recblr() { \"$0\" \"$@\"; }; \(line)", program.path], of: URL(fileURLWithPath: "/bin/sh"), in: place,
        environment: environment)
}

/// A log of 60 users that walk around a circle of 20 items, a little at random.
func walks() -> String {
    var state: UInt32 = 7
    func random(_ count: UInt32) -> UInt32 {
        state = state &* 1_664_525 &+ 1_013_904_223
        return (state >> 8) % count
    }
    var text = "user_id,item_id,timestamp\n"
    for user in 1...60 {
        var item = random(20)
        for time in 0..<15 {
            text += "u\(user),i\(item),\(time)\n"
            item = (item + 1 + random(2)) % 20
        }
    }
    return text
}

/// Compares with a file of `Golden`, or writes it where RECBLR_UPDATE_GOLDEN is set. nil where they are equal.
func differenceFromGolden(_ text: String, _ name: String) throws -> String? {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")
    let url = folder.appendingPathComponent(name)
    if ProcessInfo.processInfo.environment["RECBLR_UPDATE_GOLDEN"] != nil {
        try Data(text.utf8).write(to: url)
        return nil
    }
    let golden = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
    return golden == text ? nil : "\(name) differs; it is now:\n\(text)"
}
