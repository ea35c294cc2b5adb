public import Foundation
import Layers
public import Models
import Tensors

extension ReferenceCheckpoint {
    /// Writes a model's weights with the names of the reference code, as its `load_state_dict` takes them, completely or not at all. A repeat-aware or
    /// transition head has no place there and is left out. Throws where the mixer is another, and where the model has time.
    ///
    /// The reference code gives the same hidden vectors where it puts ``ModelConfiguration/warmupSteps`` rows before a sequence, which depends on
    /// the length of its input: ``warmupSteps(sequenceLength:)``.
    public static func write(_ model: SequenceModel, to url: URL) throws(ModelFileError) {
        let shape = model.configuration
        guard shape.mixer == .bdlru else { throw .notOfReference("its mixer is \(shape.mixer.rawValue)") }
        guard !shape.usesTime else { throw .notOfReference("it knows of time") }
        let heads = [model.network.repeatBias, model.network.transitionBias].compactMap { $0?.index }
        let entries = model.network.layout.entries.enumerated().filter { !heads.contains($0.offset) }
        let tensors = entries.map { _, entry in
            let values = model.backend.download(model.weights[entry])
            guard entry.name.hasSuffix("convolution.weight") else {
                return SafeTensors.Named(
                    name: referenceName(of: entry.name), shape: entry.shape, values: .floats(values))
            }
            let (taps, width) = (entry.rows, entry.columns)
            return SafeTensors.Named(
                name: referenceName(of: entry.name), shape: [width, 1, taps],
                values: .floats((0..<taps * width).map { values[$0 % taps * width + $0 / taps] }))
        }
        if let failure = model.backend.failure { throw .device(failure) }
        try SafeTensors.write(tensors, metadata: ["layer_norm_eps": "\(shape.normEpsilon)"], to: url)
    }

    /// A length of sequences before which the reference code puts so many rows of zeros, 64 where it puts none.
    public static func sequenceLength(warmupSteps: Int) -> Int {
        var power = 64
        while power <= 2 * warmupSteps { power *= 2 }
        return power - warmupSteps
    }
}
