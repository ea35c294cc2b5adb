import CFaultyDisk
import Foundation
import GRDBSQLite
import Synchronization

/// What SQLite writes into one folder, as a disk sees it: what was not synced may be lost, and operations may fail.
final class FaultyDisk: Sendable {
    /// What happens to operations, which are counted from 0.
    enum Fault: Sendable {
        /// The power goes before this one: it and all after it fail.
        case powerLoss(at: Int)
        /// These fail with an SQLite result code.
        case failing(Range<Int>, code: Int32)
    }

    private struct File {
        /// What the disk holds.
        var durable: [UInt8]
        /// What was written since.
        var pending: [Write] = []
    }

    private enum Write {
        case bytes([UInt8], at: Int)
        case size(Int)
    }

    private struct State {
        var files: [String: File] = [:]
        var count = 0
        var fault: Fault?
        var failures = 0
    }

    private let folder: URL
    private let state: Mutex<State>
    private static let watched = Mutex<FaultyDisk?>(nil)

    /// Watches a folder, the only one at a time, from now on: what lies there is on the disk.
    init(_ folder: URL, _ fault: Fault?) throws {
        _ = Self.isRegistered
        self.folder = folder
        var state = State(fault: fault)
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        where !file.path.hasSuffix("-shm") {
            state.files[file.resolvingSymlinksInPath().path] = File(durable: [UInt8](try Data(contentsOf: file)))
        }
        self.state = Mutex(state)
        Self.watched.withLock { $0 = self }
    }

    /// Lets all operations pass again.
    static func forget() { watched.withLock { $0 = nil } }

    /// The number of operations so far, and of those that failed.
    var counts: (operations: Int, failures: Int) { state.withLock { ($0.count, $0.failures) } }

    private static let isRegistered: Bool = {
        recblr_watch_disk { operation, path, data, size, offset in
            guard let path, let disk = FaultyDisk.watched.withLock({ $0 }) else { return SQLITE_OK }
            return disk.decide(operation, String(cString: path), data, Int(size), Int(offset))
        } == SQLITE_OK
    }()

    private func decide(
        _ operation: recblr_disk_operation, _ path: String, _ data: UnsafeRawPointer?, _ size: Int, _ offset: Int
    ) -> Int32 {
        guard path.hasPrefix(folder.resolvingSymlinksInPath().path + "/") else { return SQLITE_OK }
        return state.withLock { state in
            defer { state.count += 1 }
            if let code = Self.failure(state) {
                state.failures += 1
                return code
            }
            switch operation {
            case recblr_disk_write:
                let bytes = [UInt8](UnsafeRawBufferPointer(start: data, count: size))
                state.files[path, default: File(durable: [])].pending.append(.bytes(bytes, at: offset))
            case recblr_disk_truncate: state.files[path, default: File(durable: [])].pending.append(.size(size))
            case recblr_disk_delete: state.files[path] = nil
            default:
                for write in state.files[path]?.pending ?? [] { Self.apply(write, to: &state.files[path]!.durable) }
                state.files[path]?.pending = []
            }
            return SQLITE_OK
        }
    }

    private static func failure(_ state: State) -> Int32? {
        switch state.fault {
        case nil: nil
        case .powerLoss(let first): state.count >= first ? SQLITE_IOERR : nil
        case .failing(let range, let code): range.contains(state.count) ? code : nil
        }
    }

    private static func apply(_ write: Write, to file: inout [UInt8]) {
        switch write {
        case .size(let size):
            file.removeLast(max(0, file.count - size))
            file += [UInt8](repeating: 0, count: max(0, size - file.count))
        case .bytes(let bytes, let offset):
            file += [UInt8](repeating: 0, count: max(0, offset + bytes.count - file.count))
            file.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }
    }

    /// Writes what the disk holds after a loss of power into a folder: of what was not synced, each write is there, or not, or the first sectors
    /// of it.
    func writeRemains(to target: URL) throws {
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        for (path, file) in state.withLock({ $0.files }) {
            var remains = file.durable
            for write in file.pending {
                switch (Int.random(in: 0..<3), write) {
                case (0, _): break
                case (1, .bytes(let bytes, let offset)) where bytes.count > 512:
                    let part = Array(bytes.prefix(512 * Int.random(in: 1..<max(2, bytes.count / 512))))
                    Self.apply(.bytes(part, at: offset), to: &remains)
                default: Self.apply(write, to: &remains)
                }
            }
            let name = URL(fileURLWithPath: path).lastPathComponent
            try Data(remains).write(to: target.appendingPathComponent(name))
        }
    }
}
