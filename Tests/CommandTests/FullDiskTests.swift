import Foundation
import Testing

@Suite struct FullDiskTests {
    /// Files may not grow beyond a limit, as on a disk that is full: first for a long log's events, then for the dataset.
    @Test(arguments: [(lines: 100_000, blocks: 64), (lines: 5_000, blocks: 8)])
    func aFullDisk(_ lines: Int, _ blocks: Int) throws {
        let place = try Workplace()
        try place.write("user,item,ts\n" + String(repeating: "1,2,3\n", count: lines), "log.csv")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", "trap '' XFSZ; ulimit -f \(blocks); \"$0\" prepare log.csv -o out 2>&1", program.path,
        ]
        process.currentDirectoryURL = place.url
        // Coverage would be cut off as well, and a damaged profile spoils everybody's.
        process.environment = ProcessInfo.processInfo.environment.merging(["LLVM_PROFILE_FILE": "/dev/null"]) { $1 }
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 73 && text.contains("cannot write: File too large"), "\(text)")
        #expect(!text.contains(".tmp"), "it names the place that was asked for: \(text)")
        #expect(try place.names() == ["log.csv"])
    }
}
