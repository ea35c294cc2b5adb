// The functions have the names of recblr.h.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import ArrowData
public import CArrow
public import CRecBLR
import ErrorSupport
import Foundation
import Interactions
import RecBLRCommand

/// A dataset that a program has opened.
final class OpenDataset: Handed, Sendable {
    static let noun = "dataset"
    let data: Dataset

    init(_ folder: URL) throws { data = try Dataset.open(folder) }
}

/// How a table is read and what is kept of it.
private struct ReadSettings: Settings {
    var user, item, timestamp, rating: String?
    var fileOrder: Bool?
    var conditions: [String: [String]]?
    var minimumRating: Double?
    var dedupe: Deduplication?
    var minimumUserEvents, minimumItemEvents: Int?
    var titles: [String: String]?
    var skipBadRows: Bool?
    var source: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case user, item, timestamp, rating, dedupe, titles, source
        case fileOrder = "file_order"
        case conditions = "where"
        case minimumRating = "min_rating"
        case minimumUserEvents = "min_user_events"
        case minimumItemEvents = "min_item_events"
        case skipBadRows = "skip_bad_rows"
    }
    typealias Key = CodingKeys

    /// Throws where a number cannot be.
    func check() throws(CallError) {
        for (name, number) in [("min_user_events", minimumUserEvents), ("min_item_events", minimumItemEvents)] {
            if let number, number < 1 { throw CallError(.usage, "\(name) is \(number), but must be at least 1") }
        }
        if rating != nil, minimumRating == nil {
            throw CallError(.usage, "rating needs min_rating: nothing else reads it")
        }
        if fileOrder == true, timestamp != nil { throw CallError(.usage, "give timestamp or file_order, not both") }
    }

    func options(_ folder: URL) -> ReadOptions {
        var options = ReadOptions()
        options.columns = ColumnNames(user: user, item: item, timestamp: timestamp, rating: rating)
        options.usesFileOrder = fileOrder ?? false
        options.conditions = (conditions ?? [:]).sorted { $0.key < $1.key }.map {
            EventCondition(column: $0.key, values: $0.value)
        }
        options.minimumRating = minimumRating
        options.skipsBadLines = skipBadRows ?? false
        options.temporaryFolder = folder.deletingLastPathComponent()
        return options
    }

    var filters: Filters {
        var filters = Filters()
        filters.minimumRating = minimumRating
        filters.duplicates = dedupe
        filters.minimumUserEvents = minimumUserEvents ?? 5
        filters.minimumItemEvents = minimumItemEvents ?? 5
        return filters
    }
}

@c @implementation
public func recblr_dataset_open(
    _ folder: recblr_text, _ dataset: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    call(error) {
        let place = try place(dataset, "dataset")
        place.pointee = handedOut(try OpenDataset(try folder.url("folder")))
    }
}

@c @implementation
public func recblr_dataset_read(
    _ events: UnsafeMutablePointer<ArrowArrayStream>?, _ settings: recblr_text, _ folder: recblr_text,
    _ observer: UnsafePointer<recblr_observer>?, _ dataset: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    call(error) {
        let stream = try ArrowStream(moving: try place(events, "events"))
        let (place, folder) = (try place(dataset, "dataset"), try folder.url("folder"))
        let settings: ReadSettings = try settings.settings("settings")
        try settings.check()
        try requireOwnThreads()
        do throws(DatasetError) { try prepare(stream, settings, folder, Observer(observer)) } catch {
            throw CallError(error.exitStatus, sentence(error, settingsText))
        }
        place.pointee = handedOut(try OpenDataset(folder))
    }
}

private func prepare(
    _ events: consuming ArrowStream, _ settings: ReadSettings, _ folder: URL, _ observer: Observer
) throws(DatasetError) {
    try InteractionLog.checkReplaceable(folder)
    let log = try InteractionLog.read(
        events, named: settings.source ?? "the table", settings.options(folder),
        understood: { observer.message($0.description) },
        progress: { _ throws(DatasetError) in if observer.isStopped { throw .stopped } })
    for doubt in log.doubts { observer.message("warning: " + doubt) }
    for warning in log.warnings { observer.message("note: " + warning) }
    _ = try log.prepare(
        settings.filters, titles: settings.titles ?? [:], source: settings.source ?? "a table", to: folder)
}

/// What can be done about an error, in words that tell the settings.
private func settingsText(_ remedy: any Remedy) -> String {
    switch remedy as? LogRemedy {
    case .nameColumn(let role): "name the one that is meant with \(role == .time ? "timestamp" : role.rawValue)"
    case .fileOrder: "say file_order if the rows are in order of time"
    case .skipBadLines: "give skip_bad_rows, which counts and passes over such rows"
    case .fewerEvents: "give lower numbers to min_user_events or min_item_events"
    default: text(remedy)
    }
}

@c @implementation
public func recblr_dataset_events(
    _ dataset: OpaquePointer?, _ events: UnsafeMutablePointer<ArrowArrayStream>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    call(error) {
        let (dataset, place) = (try object(dataset, OpenDataset.self), try place(events, "events"))
        EventTable(dataset.data).export(to: place)
    }
}

@c @implementation
public func recblr_dataset_free(_ dataset: OpaquePointer?) { free(dataset, OpenDataset.self) }
