import FileSupport
public import Foundation
public import Identifiers
public import Models
import Tensors

/// The vectors of a model's items as NumPy's array, and their ids.
public enum ItemVectors {
    /// Where the ids of the vectors in a file lie: beside it, the same name with the extension `tsv`.
    public static func idsURL(beside url: URL) -> URL { url.deletingPathExtension().appendingPathExtension("tsv") }

    /// Writes [V, D] float32 in NumPy's format 1.0 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), row r for the item at position
    /// r, and beside it the ids and titles in the same order, as `Vocabulary.write(to:)` does. Each file is written completely or not at all, the ids
    /// first. A score is the inner product of a row and a hidden vector, but for what heads add.
    public static func write(_ model: SequenceModel, items: Vocabulary, to url: URL) throws(ModelFileError) {
        let table = model.itemTable
        let values = model.backend.download(table)
        if let failure = model.backend.failure { throw .device(failure) }
        try withFileErrors { () throws(FileError) in
            try items.write(to: idsURL(beside: url))
            var writer = try FileWriter(url)
            try writer.append(header(rows: table.rows, columns: table.columns))
            try writer.append(values: values)
            try writer.commit()
        }
    }

    /// The header's length with all before it is a multiple of 64.
    private static func header(rows: Int, columns: Int) -> [UInt8] {
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
        let length = (10 + text.utf8.count + 1 + 63) / 64 * 64 - 10
        let padded = Array(text.utf8) + [UInt8](repeating: 0x20, count: length - text.utf8.count - 1) + [0x0A]
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + padded
    }
}
