import CPUBackend
import EmulatedGPU
import Evaluation
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

    private func trainer(
        _ seed: UInt64, teachers: [Teacher] = [], folder: URL? = nil
    ) throws(TrainingError) -> Trainer {
        var options = Self.options
        options.seed = seed
        return try Trainer(
            data, .leaveOneOut(data), smallShape(items: data.itemCount), options, teachers: teachers,
            backend: CPUBackend(), checkpointFolder: folder)
    }

    private func trained(
        _ seed: UInt64, teachers: [Teacher] = [], folder: URL? = nil, stoppingAfter steps: Int = .max
    ) throws(TrainingError) -> TrainingOutcome {
        var left = steps
        return try trainer(seed, teachers: teachers, folder: folder).run(resuming: true) {
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
            let difference = RunDifference.teachers(was: 2, now: others.count)
            #expect(throws: TrainingError.otherRun(path: checkpoint(folder), difference)) {
                try trained(1, teachers: others, folder: folder)
            }
        }
        try trainer(1, folder: folder).checkCheckpoint(teachers: 2)
        for count in [0, 1, 3] {
            let difference = RunDifference.teachers(was: 2, now: count)
            #expect(throws: TrainingError.otherRun(path: checkpoint(folder), difference)) {
                try trainer(1, folder: folder).checkCheckpoint(teachers: count)
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
        let other = randomDataset(items: 9)
        #expect(throws: TrainingError.evaluation(.itemCount(model: data.itemCount, dataset: other.itemCount))) {
            try attempt(Self.options, data: other)
        }
        for gpu in TestGPU.backends {
            #expect(throws: TrainingError.option("teachers are for CPUs: a GPU cannot learn from them")) {
                try attempt(Self.options, data: data, gpu)
            }
        }
    }
}
