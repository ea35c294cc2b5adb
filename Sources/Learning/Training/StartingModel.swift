public import Identifiers
package import Interactions
import Layers
public import ModelStore
public import Models
public import Tensors

/// A trained model whose weights another training continues, on data that was prepared anew.
///
/// Items are matched by their raw identifiers, byte for byte. What belongs to no item is taken over as it is, so that the new model has
/// the old one's shape (``configuration(itemCount:)``).
public struct StartingModel: Sendable {
    /// Identifies the model: a run is resumed only with the one that it began from.
    public let fingerprint: String
    /// The model's trainings, the earliest first.
    public let trainings: [PastTraining]
    let items: Vocabulary
    private let model: SequenceModel

    /// Starts from a model and its items; `fingerprint` is any text that other models do not have.
    public init(
        _ model: SequenceModel, items: Vocabulary, fingerprint: String, trainings: [PastTraining] = [PastTraining()]
    ) {
        (self.model, self.items, self.fingerprint, self.trainings) = (model, items, fingerprint, trainings)
    }

    /// Starts from the model of a folder. Throws where its weights or the record of its training are damaged.
    public init(_ folder: ModelFolder, on device: ComputeDevice) throws(ModelFileError) {
        self.init(
            try folder.model(on: device), items: folder.items, fingerprint: try folder.fingerprint,
            trainings: try TrainingRecord.read(folder)?.trainings ?? [PastTraining()])
    }

    /// The shape of the model that continues this one over another number of items.
    public func configuration(itemCount: Int) -> ModelConfiguration {
        var configuration = model.configuration
        configuration.itemCount = itemCount
        return configuration
    }

    /// Writes this model's weights over those of `model`, which are random: all that belongs to no item, and the embeddings of the items of
    /// `dataset` that this model knows. Throws where it has another shape or knows none of them. O(weights).
    package func initialize(_ model: SequenceModel, for dataset: Dataset) throws(TrainingError) -> TrainingOrigin {
        let shape = configuration(itemCount: dataset.itemCount)
        guard model.configuration == shape else {
            throw .otherShape(RunIdentity.changes(shape, model.configuration))
        }
        let mapping = ItemMapping(dataset.identifiers, to: items)
        guard mapping.unknownCount < dataset.itemCount else { throw .noCommonItems }
        let (backend, own) = (model.backend, self.model)
        for (index, (entry, old)) in zip(model.network.layout.entries, own.network.layout.entries).enumerated() {
            var values = own.backend.download(own.weights[old])
            if index == model.network.embedding.table.index {
                values = rows(of: values, mapping, over: backend.download(model.weights[entry]), width: entry.columns)
            }
            backend.upload(values, to: model.weights[entry])
        }
        return TrainingOrigin(self, mapping, itemCount: dataset.itemCount)
    }

    /// A table of embeddings with the rows of the items that this model knows, and those of `fresh` for the others.
    private func rows(of own: [Float], _ mapping: ItemMapping, over fresh: [Float], width: Int) -> [Float] {
        func elements(_ item: ItemID) -> Range<Int> { item.embeddingRow * width..<(item.embeddingRow + 1) * width }
        var table = fresh
        for item in (0..<fresh.count / width - 1).map(ItemID.init(row:)) {
            if let known = mapping[item] { table.replaceSubrange(elements(item), with: own[elements(known)]) }
        }
        return table
    }
}

/// From which model a training started, and which of its items it found again.
public struct TrainingOrigin: Sendable, Codable, Equatable {
    /// The model's ``StartingModel/fingerprint``.
    public var model: String
    /// The trainings behind it, the earliest first: their weights have learnt from more than the data that goes on.
    public var trainings: [PastTraining]
    /// Items of the data that the model has, and that it has not.
    public var matchedItems, newItems: Int
    /// Items of the model that the data does not have any more.
    public var goneItems: Int

    init(_ start: StartingModel, _ mapping: ItemMapping, itemCount: Int) {
        (model, trainings) = (start.fingerprint, start.trainings)
        newItems = mapping.unknownCount
        matchedItems = itemCount - newItems
        goneItems = start.items.count - matchedItems
    }
}
