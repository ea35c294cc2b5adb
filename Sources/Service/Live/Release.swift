import CPUBackend
import Events
import FileSupport
import Foundation
import Identifiers
import ModelStore
import Models
import Serving
import Synchronization
import Tensors

/// A version of the model, ready to answer. It never changes.
final class Release: Sendable {
    /// The name of its folder.
    let version: String
    /// What a state depends on beside the log: weights, vocabulary, the events that count, the instruction set. States and checkpoints
    /// are used only under the same identity.
    let identity: String
    /// The model and its items.
    let catalogue: Catalogue
    let answers: AnswerCounters
    /// The types of events that move states; nil: all.
    let eventTypes: Set<RawID>?
    private let searchable = Mutex<(ids: FoldedTexts, titles: FoldedTexts)?>(nil)

    var model: SequenceModel { catalogue.model }

    /// Opens and checks a model's folder and makes it ready. Throws an error for people.
    init(folder url: URL, version: String, options: LiveOptions) throws(ServiceError) {
        self.version = version
        answers = AnswerCounters(version: version)
        eventTypes = options.eventTypes
        do {
            let folder = try ModelFolder.open(url)
            // A state must not depend on who else was in the batch.
            let device = ComputeDevice(CPUBackend(products: .rowIndependent))
            let model = try folder.model(on: device).on(device.backend)
            let popularity = folder.popularity.map(Popularity.init(counts:))
            catalogue = Catalogue(model, items: folder.items, popularity: popularity)
            identity = Self.identity(try Self.checksums(folder), device, options)
        } catch {
            // Clients are told: where in the version's folder, not where that is.
            throw .release(version: version, reason: "\(error)".replacing(url.path, with: version))
        }
    }

    /// Checksums of the weights and the vocabulary, also of folders that have none of their own.
    private static func checksums(_ folder: ModelFolder) throws(FileError) -> FileChecksums {
        if let checksums = folder.checksums { return checksums }
        return try FileChecksums(ofFilesIn: folder.url)
    }

    private static func identity(_ files: FileChecksums, _ device: ComputeDevice, _ options: LiveOptions) -> String {
        let parts = [ModelFolder.File.weights, ModelFolder.File.items].map { name in
            files[name].map { "\($0.bytes)-\($0.crc32)" } ?? "none"
        }
        let types = options.eventTypes.map { $0.sorted().map(\.text).joined(separator: "\u{1F}") } ?? "all"
        return (parts + [device.name, types, "2"]).joined(separator: "/")
    }

    /// Identifiers and titles by row, to be searched; made for the first who searches.
    var texts: (ids: FoldedTexts, titles: FoldedTexts) {
        searchable.withLock { texts in
            if let texts { return texts }
            let items = catalogue.items
            let made = (
                FoldedTexts(items.ids.lazy.map(Optional.some)),
                FoldedTexts((0..<items.count).lazy.map { items.title(at: $0) })
            )
            texts = made
            return made
        }
    }

    /// The item of an event that moves states; nil where the model does not know it or the event's type does not count.
    func item(of event: NewEvent) -> ItemID? {
        guard eventTypes?.contains(RawID(event.type)) ?? true else { return nil }
        return item(event.item)
    }

    /// The item with an identifier; nil where the model does not know it.
    func item(_ id: RawID) -> ItemID? {
        let position = id.withBytes { catalogue.items.position(of: $0) }
        return (position ?? catalogue.items.position(of: id.text)).map(ItemID.init(row:))
    }

    /// The identifier of an item.
    func id(_ item: ItemID) -> RawID { RawID(catalogue.items.ids[item.row]) }
}
