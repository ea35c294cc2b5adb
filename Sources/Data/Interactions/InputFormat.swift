import Foundation

/// The kinds of interaction logs that can be read; each may be compressed by gzip, bzip2 or Zstandard.
public enum InputFormat: String, Sendable, CaseIterable {
    /// Commas or another delimiter; fields may be quoted as in RFC 4180, also across lines.
    case csv
    /// Tabs or another delimiter; no quotes, unless all names in the header are quoted.
    case tsv
    /// RecBole's `.inter`: tabs and a header of `name:type`.
    case recbole
    /// MovieLens' `ratings.dat`: user::item::rating::timestamp, no header.
    case movielens
    /// One JSON object on each line.
    case jsonl
    /// One user on each line: user id, then item ids in order of time, separated by white space.
    case sequences

    /// The format that a file's name suggests, nil where it suggests none. `.gz`, `.bz2` or `.zst` at the end is ignored.
    public init?(fileName: String) {
        var name = fileName.lowercased()
        if let packed = [".gz", ".bz2", ".zst"].first(where: name.hasSuffix) { name.removeLast(packed.count) }
        switch (name as NSString).pathExtension {
        case "csv": self = .csv
        case "tsv", "tab": self = .tsv
        case "inter": self = .recbole
        case "dat": self = .movielens
        case "jsonl", "ndjson", "json": self = .jsonl
        case "txt": self = .sequences
        default: return nil
        }
    }
}
