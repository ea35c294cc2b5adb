import FileSupport
import Foundation

/// The address of a folder that a command writes. Throws where the path can only be a slip: an unset variable, the
/// current folder or one above it, somebody's home.
func outputFolder(_ path: String, _ option: String) throws -> URL {
    guard !path.allSatisfy(\.isWhitespace) else {
        throw fail(.usage, "\(option) is empty (a variable that is not set?): give the name of a folder")
    }
    let url = fileURL(path)
    let target = try followingLinks(url).path
    let current = try followingLinks(fileURL(FileManager.default.currentDirectoryPath)).path
    if target == current || target == "/" || current.hasPrefix(target + "/") {
        throw fail(
            .usage, "\(option) \(path) is the current folder or one above it: give the name of a folder of its own")
    }
    if target == (try? followingLinks(FileManager.default.homeDirectoryForCurrentUser).path) {
        throw fail(.usage, "\(option) \(path) is your home folder: give the name of a folder of its own")
    }
    return url
}

/// Throws where an output would lie in a folder that is read.
func checkApart(_ output: String, _ option: String, from input: String) throws {
    let (target, source) = (
        try followingLinks(fileURL(output)).path, try followingLinks(fileURL(input)).path
    )
    if target == source || target.hasPrefix(source + "/") {
        throw fail(.usage, "\(option) \(output) lies in \(input), which is read: choose another folder")
    }
}
