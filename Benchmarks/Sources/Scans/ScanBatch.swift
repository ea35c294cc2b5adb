import CPUBackend
import Identifiers
import Layers
import Models
import Tensors

/// One batch and the layers. Weights and events are equal for all forms.
final class ScanBatch {
    private let layout: ParameterLayout
    private let gradients: Parameters
    private let workspace: any Workspace
    private let padding: RightPadding
    private let outputGradient: Tensor
    private let backend = CPUBackend()

    init(_ form: ScanForm, _ shape: ModelConfiguration, length: Int, sequences: Int) {
        let padded = form == .sequencePadding ? powerOfTwo(atLeast: length) : length
        padding = RightPadding(sequences: sequences, from: length, to: padded)
        let network: any Network =
            form == .packed
            ? shape.makeNetwork()
            : Stack(shape) { UnfusedMixer($0, shape, form, sequences: sequences, length: padded, in: &$1) }
        layout = network.layout
        let weights = Parameters(zerosFor: layout, on: backend)
        gradients = Parameters(zerosFor: layout, on: backend)
        var generator = SeededGenerator(seed: 3)
        func random(_ count: Int) -> [Float] { (0..<count).map { _ in Float(generator.uniform()) - 0.5 } }
        for entry in layout.entries { backend.upload(random(entry.count), to: weights[entry]) }
        let eventGradient = backend.tensor(sequences * length, shape.hiddenSize)
        backend.upload(random(eventGradient.count), to: eventGradient)
        outputGradient = padding.isNone ? eventGradient : backend.tensor(sequences * padded, shape.hiddenSize)
        padding.spread(eventGradient, to: outputGradient, backend)
        workspace = network.workspace(
            tokens: sequences * padded, sequences: sequences, forTraining: true, on: backend)
        let items = (0..<sequences).map { s in
            (0..<padded).map { ItemID(row: $0 < length ? (s * length + $0) * 31 % shape.itemCount : 0) }
        }
        workspace.load(PackedBatch(items), weights, dropout: nil, tokenNumbers: nil)
    }

    /// Forward and backward; the gradients accumulate.
    func run() {
        workspace.forward(from: .fresh, statesOnly: false)
        backend.copy(outputGradient, to: workspace.outputGradient)
        workspace.backward(gradients, ends: nil)
    }

    /// The last layer's output at each event, and the gradient of each parameter, after one run.
    func results() -> [(name: String, values: [Float])] {
        backend.fill(gradients.flat, with: 0)
        run()
        let events = (0..<padding.sequences).flatMap { s in
            backend.download(workspace.output.rows(s * padding.to..<s * padding.to + padding.from))
        }
        return [("output", events)] + layout.entries.map { ($0.name, backend.download(gradients[$0])) }
    }
}
