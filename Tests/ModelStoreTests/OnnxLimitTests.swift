import Models
import OnnxExport
import Testing

/// Which models have no ONNX files: found out before anything is made. What is in the files, `scripts/check-export.sh` asks onnxruntime.
@Suite struct OnnxLimitTests {
    private func shape(items: Int, size: Int) -> ModelConfiguration {
        var shape = ModelConfiguration(itemCount: items)
        shape.hiddenSize = size
        return shape
    }

    @Test func aFileHasLessThanTwoGibibytes() throws {
        try OnnxFolder.check(shape(items: 8_300_000, size: 64))
        #expect(throws: OnnxError.self) { try OnnxFolder.check(shape(items: 8_400_000, size: 64)) }
        var transitions = shape(items: 4_000_000, size: 64)
        try OnnxFolder.check(transitions)
        transitions.transitions = true
        #expect(throws: OnnxError.self) { try OnnxFolder.check(transitions) }
    }

    /// 2²⁴ + 1 is no number of single precision.
    @Test func headsRememberItemsAsNumbers() throws {
        var shape = shape(items: 1 << 24, size: 1)
        try OnnxFolder.check(shape)
        shape.repeatAware = true
        #expect(throws: OnnxError.tooManyItems(1 << 24)) { try OnnxFolder.check(shape) }
        shape.itemCount -= 1
        try OnnxFolder.check(shape)
    }
}
