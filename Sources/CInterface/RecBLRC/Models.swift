// The functions have the names of recblr.h.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CPUBackend
public import CRecBLR
import ErrorSupport
import Foundation
import Identifiers
import ModelStore
import Models
import Serving
import Synchronization
import Tensors

/// A model that a program has opened.
final class Model: Handed, Sendable {
    static let noun = "model"
    let catalogue: Catalogue
    /// ``ModelFolder/fingerprint``.
    let fingerprint: String
    private let ids: Texts
    private let titles: Texts
    private let idle = Mutex<[Confined]>([])

    /// A recommender, which one thread at a time has.
    private struct Confined: @unchecked Sendable { let recommender: Recommender }

    init(_ folder: URL) throws {
        let folder = try ModelFolder.open(folder)
        fingerprint = try folder.fingerprint
        let items = folder.items
        catalogue = Catalogue(
            try folder.model(on: CPUBackend()), items: items, popularity: folder.popularity.map(Popularity.init))
        ids = Texts(items.ids)
        titles = Texts((0..<items.count).map { items.title(at: $0) ?? "" })
    }

    func id(_ item: Int64) -> recblr_text { ids[item] }
    func title(_ item: Int64) -> recblr_text { titles[item] }

    /// The embeddings of some items, D floats each.
    func vectors(_ rows: Range<Int>) -> [Float] {
        let model = catalogue.model
        return model.backend.download(model.itemTable.rows(rows))
    }

    /// Lends a recommender for the time of `body`: one that is idle, or a new one, so that there are as many as threads have needed at once.
    func withRecommender<Result>(_ body: (Recommender) throws -> Result) rethrows -> Result {
        let own = idle.withLock { $0.popLast() } ?? Confined(recommender: Recommender(catalogue))
        defer { idle.withLock { $0.append(own) } }
        return try body(own.recommender)
    }

    /// The item with an id. Throws where the model has none.
    func item(_ id: recblr_text) throws(CallError) -> ItemID {
        let id = try id.string("item")
        guard let row = catalogue.items.position(of: id) else {
            throw CallError(.badData, "the model does not know the item '\(id)'")
        }
        return ItemID(row: row)
    }
}

/// Texts at addresses that do not change.
private struct Texts: Sendable {
    private let block: CText
    private let starts: [Int]

    init(_ texts: some Sequence<String>) {
        var (bytes, starts) = ([UInt8](), [0])
        for text in texts {
            bytes += text.utf8
            starts.append(bytes.count)
        }
        (block, self.starts) = (CText(bytes), starts)
    }

    /// Empty where there is none.
    subscript(_ index: Int64) -> recblr_text {
        guard index >= 0, index < starts.count - 1 else { return recblr_text() }
        let (start, end) = (starts[Int(index)], starts[Int(index) + 1])
        return recblr_text(bytes: block.text.bytes + start, length: end - start)
    }
}

@c @implementation
public func recblr_model_open(
    _ folder: recblr_text, _ model: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    call(error) {
        let place = try place(model, "model")
        place.pointee = handedOut(try Model(try folder.url("folder")))
    }
}

@c @implementation
public func recblr_model_item_count(_ model: OpaquePointer?) -> Int64 {
    (try? object(model, Model.self)).map { Int64($0.catalogue.items.count) } ?? 0
}

@c @implementation
public func recblr_model_item(_ model: OpaquePointer?, _ item: Int64) -> recblr_text {
    (try? object(model, Model.self))?.id(item) ?? recblr_text()
}

@c @implementation
public func recblr_model_title(_ model: OpaquePointer?, _ item: Int64) -> recblr_text {
    (try? object(model, Model.self))?.title(item) ?? recblr_text()
}

@c @implementation
public func recblr_model_find(_ model: OpaquePointer?, _ id: recblr_text) -> Int64 {
    guard let model = try? object(model, Model.self), let item = try? model.item(id) else { return -1 }
    return Int64(item.row)
}

@c @implementation
public func recblr_model_free(_ model: OpaquePointer?) { free(model, Model.self) }
