import CPUBackend
import EmulatedGPU
import Foundation
import Interactions
import Layers
import Models
import Tensors
import Testing
import Training

/// Training with teachers.
@Suite struct TeacherTests {
    private static let options = ResumeTests.options(.full, .everyPosition)
    private let data = randomDataset()

    private func trained(
        _ seed: UInt64, teachers: [Teacher] = [], folder: URL? = nil, stoppingAfter steps: Int = .max
    ) throws -> TrainingOutcome {
        var (options, left) = (Self.options, steps)
        options.seed = seed
        return try Trainer(
            data, .leaveOneOut(data), smallShape(items: data.itemCount), options, teachers: teachers,
            backend: CPUBackend(), checkpointFolder: folder
        ).run(resuming: true) {
            left -= 1
            return left == 0
        }
    }

    private func teachers(_ names: [String] = ["a", "b"]) throws -> [Teacher] {
        try names.enumerated().map { Teacher(try trained(UInt64($0) + 7).finished().model, fingerprint: $1) }
    }

    private func bits(_ model: SequenceModel) -> [Float] { model.backend.download(model.weights.flat) }

    @Test func teachersMakeADifferenceAndTheSameOneTwice() throws {
        let teachers = try teachers()
        let (model, record) = try trained(1, teachers: teachers).finished()
        #expect(record.teachers == ["a", "b"])
        #expect(bits(try trained(1, teachers: teachers).finished().model) == bits(model))
        let (alone, recordOfIt) = try trained(1).finished()
        #expect(bits(alone) != bits(model) && recordOfIt.teachers == nil)
        #expect(bits(try trained(1, teachers: [teachers[0]]).finished().model) != bits(model))
    }

    @Test func interruptedAndResumedWithTheSameTeachersOnly() throws {
        let (teachers, folder) = (try teachers(), try temporaryFolder())
        defer { try? FileManager.default.removeItem(at: folder) }
        let whole = bits(try trained(1, teachers: teachers).finished().model)
        guard case .interrupted = try trained(1, teachers: teachers, folder: folder, stoppingAfter: 4) else {
            Issue.record("it was not interrupted")
            return
        }
        for others in [[], [teachers[0]], try self.teachers(["a", "c"])] {
            #expect(throws: TrainingError.otherRun(path: checkpoint(folder), .teachers)) {
                try trained(1, teachers: others, folder: folder)
            }
        }
        #expect(bits(try trained(1, teachers: teachers, folder: folder).finished().model) == whole)
    }

    private func checkpoint(_ folder: URL) -> String { folder.appendingPathComponent("checkpoint.safetensors").path }

    @Test func whatTeachersCannotTeachIsRefused() throws {
        let teachers = try teachers(["a"])
        func attempt(
            _ options: TrainingOptions, data: Dataset, _ backend: any Backend = CPUBackend()
        ) throws(TrainingError) {
            _ = try Trainer(
                data, .leaveOneOut(data), smallShape(items: data.itemCount), options, teachers: teachers,
                backend: backend)
        }
        for loss in [TrainingOptions.LossKind.sampled, .bpr] {
            #expect(throws: TrainingError.option("teachers are for the full softmax loss")) {
                try attempt(ResumeTests.options(loss, .everyPosition), data: data)
            }
        }
        #expect(throws: TrainingError.self) { try attempt(Self.options, data: randomDataset(items: 9)) }
        for gpu in TestGPU.backends {
            #expect(throws: TrainingError.option("teachers are for CPUs: a GPU cannot learn from them")) {
                try attempt(Self.options, data: data, gpu)
            }
        }
    }
}
