import Foundation

/// The kinds of interaction logs that can be read; each may be gzipped.
public enum InputFormat: String, Sendable, CaseIterable {
    /// Commas and a header; fields may be quoted as in RFC 4180, but not across lines.
    case csv
    /// Tabs and a header, no quotes.
    case tsv
    /// RecBole's `.inter`: tabs and a header of `name:type`.
    case recbole
    /// MovieLens' `ratings.dat`: user::item::rating::timestamp, no header.
    case movielens
    /// One JSON object a line.
    case jsonl
    /// One user a line: user id, then item ids in order of time, separated by white space.
    case sequences

    /// The format that a file's name suggests, nil where it suggests none. `.gz` at the end is passed over.
    public init?(fileName: String) {
        var name = fileName.lowercased()
        if name.hasSuffix(".gz") { name.removeLast(3) }
        switch (name as NSString).pathExtension {
        case "csv": self = .csv
        case "tsv", "tab": self = .tsv
        case "inter": self = .recbole
        case "dat": self = .movielens
        case "jsonl", "ndjson": self = .jsonl
        case "txt": self = .sequences
        default: return nil
        }
    }
}

/// Names of the columns of formats that have a header, and of the keys of JSON objects.
public struct ColumnNames: Sendable, Equatable {
    /// Who. nil: the first of ``userDefaults`` that is there.
    public var user: String?
    /// What. nil: the first of ``itemDefaults`` that is there.
    public var item: String?
    /// When. nil: the first of ``timestampDefaults`` that is there; without any, file order is time order.
    public var timestamp: String?
    /// How much. nil: the first of ``ratingDefaults`` that is there. Read only where a rating threshold asks for it.
    public var rating: String?

    /// Names that are tried in order.
    public static let userDefaults = [
        "user_id", "user", "userid", "userId", "UserID", "uid", "customer_id", "session_id",
    ]
    /// Names that are tried in order.
    public static let itemDefaults = [
        "item_id", "item", "itemid", "itemId", "ItemID", "movieId", "movie_id", "MovieID", "product_id", "asin", "iid",
    ]
    /// Names that are tried in order.
    public static let timestampDefaults = ["timestamp", "time", "ts", "Timestamp", "unix_time", "date", "datetime"]
    /// Names that are tried in order.
    public static let ratingDefaults = ["rating", "Rating", "score", "stars"]

    /// All by default names.
    public init(user: String? = nil, item: String? = nil, timestamp: String? = nil, rating: String? = nil) {
        self.user = user
        self.item = item
        self.timestamp = timestamp
        self.rating = rating
    }
}
