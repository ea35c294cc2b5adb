import Events
import Foundation
import GRDB
import Identifiers

extension LogTransaction {
    /// So many checkpoints of models that are not kept go with each commit: they may be gigabytes, and nobody should wait for that.
    private static let removedAtOnce: Int64 = 16

    func keep(
        _ checkpoint: StateCheckpoint, of id: RawID, model: String
    ) throws(EventLogError) -> Result<ChangeOutcome, ChangeRefusal> {
        guard let user = try self.user(id), user.revision == checkpoint.revision else { return .failure(.outdated) }
        try Query(database, "REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?)").run(
            try number(ofModel: model), user.number, checkpoint.last.time.microseconds, checkpoint.last.position,
            Int64(checkpoint.eventCount), checkpoint.revision, checkpoint.state)
        return .success(.done)
    }

    /// Drops the checkpoints of a user that have seen an event at `order` or after it, also those of models that are not kept.
    func dropCheckpoints(of user: Int64, from order: EventOrder) throws(EventLogError) {
        try Query(
            database,
            """
            DELETE FROM checkpoints WHERE model IN (SELECT number FROM models) AND user = ?
            AND (time, position) >= (?, ?)
            """
        ).run(user, order.time.microseconds, order.position)
    }

    /// Takes the names of other models away, so that nobody finds their checkpoints any more.
    func keepCheckpoints(ofModels kept: [String]) throws(EventLogError) {
        let models = try Query(database, "SELECT number, name FROM models WHERE name IS NOT NULL")
            .all { ($0.integer(0), $0.text(1)) }
        for (number, name) in models where !kept.contains(where: { $0.utf8.elementsEqual(name.utf8) }) {
            try Query(database, "UPDATE models SET name = NULL WHERE number = ?").run(number)
        }
    }

    /// Removes some checkpoints of models that have lost their names.
    func removeCheckpoints() throws(EventLogError) {
        let nameless = try Query(database, "SELECT number FROM models WHERE name IS NULL LIMIT 1").first {
            $0.integer(0)
        }
        guard let model = nameless else { return }
        let users = try Query(database, "SELECT user FROM checkpoints WHERE model = ? LIMIT ?")
            .all(model, Self.removedAtOnce) { $0.integer(0) }
        for user in users {
            try Query(database, "DELETE FROM checkpoints WHERE model = ? AND user = ?").run(model, user)
        }
        if users.count < Self.removedAtOnce { try Query(database, "DELETE FROM models WHERE number = ?").run(model) }
    }

    private func number(ofModel name: String) throws(EventLogError) -> Int64 {
        if let number = try Query(database, "SELECT number FROM models WHERE name = ?").first(
            name, read: { $0.integer(0) })
        {
            return number
        }
        try Query(database, "INSERT INTO models (name) VALUES (?)").run(name)
        return database.lastInsertedRowID
    }

    func annotate(_ change: AnnotationChange) throws(EventLogError) -> AnnotatedItem {
        let annotated = AnnotatedItem(change.item, change.change(try log.annotation(of: change.item)))
        guard let annotation = annotated.annotation else {
            try Query(database, "DELETE FROM annotations WHERE item = ?").run(annotated.item)
            return annotated
        }
        guard let categories = try? JSONEncoder().encode(annotation.categories) else {
            throw .unavailable("the categories of an item cannot be written as JSON")
        }
        try Query(database, "REPLACE INTO annotations VALUES (?, ?, ?, ?, ?, ?, ?)").run(
            annotated.item, annotation.title, String(decoding: categories, as: UTF8.self),
            Int64(annotation.isHidden ? 1 : 0),
            annotation.time?.microseconds, annotation.labels, annotation.comment)
        return annotated
    }
}
