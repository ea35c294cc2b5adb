import CPUBackend
import Foundation
import Models
import Tensors
import Testing

@testable import Layers

/// Where parameters lie, what they begin with, and what shapes there can be.
@Suite struct ParameterTests {
    @Test(arguments: variants(itemCount: 12))
    func parametersLieApartOnAlignedPlaces(shape: ModelConfiguration) {
        let layout = shape.layout
        let ranges = layout.entries.map { $0.offset..<$0.offset + $0.count }.sorted { $0.lowerBound < $1.lowerBound }
        #expect(ranges.allSatisfy { $0.lowerBound % 16 == 0 && !$0.isEmpty })
        for (range, next) in zip(ranges, ranges.dropFirst()) {
            #expect((0..<16).contains(next.lowerBound - range.upperBound), "nothing overlaps, and no gap is wide")
        }
        #expect(ranges[0].lowerBound == 0 && (0..<16).contains(layout.count - ranges.last!.upperBound))
        #expect(layout.count % 16 == 0 && Set(layout.entries.map(\.name)).count == layout.entries.count)
        for entry in layout.entries {
            #expect(entry.decays == (entry.offset + entry.count <= layout.decayedCount), "\(entry.name)")
            #expect(entry.decays || entry.offset >= layout.decayedCount, "\(entry.name)")
            #expect(entry.shape == (entry.isVector ? [entry.columns] : [entry.rows, entry.columns]))
            #expect(!entry.isVector || entry.rows == 1)
        }
    }

    /// Of a model with its default settings and 5,000 items, by what its documentation says of each kind of parameter.
    @Test func freshWeightsHaveTheirDistributions() throws {
        var shape = ModelConfiguration(itemCount: 5000)
        shape.repeatAware = true
        let all = shape.layout.initialValues(seed: 3)
        var others = shape
        others.decayInitialization = .normal
        func values(_ name: String, _ shape: ModelConfiguration, _ all: [Float]) throws -> [Double] {
            let entry = try #require(shape.layout.entries.first { $0.name == name })
            return all[entry.offset..<entry.offset + entry.count].map { Double($0) }
        }
        for entry in shape.layout.entries {
            let own = try values(entry.name, shape, all)
            let mean = own.reduce(0, +) / Double(own.count)
            let deviation = (own.reduce(0) { $0 + $1 * $1 } / Double(own.count)).squareRoot()
            switch entry.name.split(separator: ".").last! {
            case "scale": #expect(own.allSatisfy { $0 == 1 }, "\(entry.name)")
            case "decay":
                let kept = own.map { exp(-log1p(exp($0))) }
                #expect(abs(kept[0] - 0.9) < 1e-5 && abs(kept.last! - 0.999) < 1e-5)
                let steps = zip(own, own.dropFirst()).map { $1 - $0 }
                #expect(steps.allSatisfy { abs($0 - steps[0]) < 1e-4 }, "evenly spaced")
            case "shift", "repeat_bias": #expect(own.allSatisfy { $0 == 0 }, "\(entry.name)")
            case "bias" where !entry.name.contains("convolution"): #expect(own.allSatisfy { $0 == 0 }, "\(entry.name)")
            case _ where entry.name.contains("convolution"):
                // U(−1/2, 1/2) for four taps: deviation 1/√12.
                #expect(own.allSatisfy { abs($0) <= 0.5 } && own.contains { $0 > 0.45 } && own.contains { $0 < -0.45 })
                #expect(abs(deviation - 0.2887) < 0.05 && abs(mean) < 0.08, "\(entry.name): \(mean) \(deviation)")
            default:
                #expect(abs(deviation - 0.02) < 5e-4 && abs(mean) < 5e-4, "\(entry.name): \(mean) \(deviation)")
            }
        }
        #expect(try values("item_embedding", shape, all).prefix(64).allSatisfy { $0 == 0 }, "padding")
        #expect(try values("item_embedding", shape, all).dropFirst(64).prefix(64).allSatisfy { $0 != 0 })
        let normal = try values("layers.0.decay", others, others.layout.initialValues(seed: 3))
        #expect(normal.allSatisfy { abs($0) < 0.1 } && Set(normal).count == normal.count)
    }

    /// Weights of neighbouring seeds, and of two parameters, have nothing in common.
    @Test func seedsAreIndependent() throws {
        let layout = ModelConfiguration(itemCount: 2000).layout
        let table = try #require(layout.entries.first { $0.name == "item_embedding" })
        func correlation(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
            zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } / Double(a.count) / 0.0004
        }
        let place = table.offset + 64..<table.offset + table.count
        let (one, two) = (layout.initialValues(seed: 1), layout.initialValues(seed: 2))
        #expect(one == layout.initialValues(seed: 1))
        #expect(abs(correlation(one[place], one[place]) - 1) < 0.02)
        #expect(abs(correlation(one[place], two[place])) < 0.015, "five standard deviations")
        #expect(abs(correlation(one[place].dropFirst(64), one[place].dropLast(64))) < 0.015)
    }

    @Test func placesOfDropoutShareNoNumber() {
        let places = (0..<64).flatMap { [DropoutPlace.mixer(layer: $0), .inner(layer: $0), .outer(layer: $0)] }
        #expect(Set((places + [.embedding]).map(\.number)).count == 3 * 64 + 1)
    }

    /// Both ends of each range are possible, what lies beyond is not.
    @Test func shapesHaveTheirLimits() throws {
        typealias Field = (name: String, path: WritableKeyPath<ModelConfiguration, Int>, range: ClosedRange<Int>)
        let fields: [Field] = [
            ("itemCount", \.itemCount, 1...100_000_000), ("hiddenSize", \.hiddenSize, 1...4096),
            ("layerCount", \.layerCount, 1...64), ("expansion", \.expansion, 1...16),
            ("convolutionWidth", \.convolutionWidth, 0...16), ("warmupSteps", \.warmupSteps, 0...65_536),
        ]
        for field in fields {
            var shape = ModelConfiguration(itemCount: 5)
            for value in [field.range.lowerBound, field.range.upperBound] {
                shape[keyPath: field.path] = value
                try shape.validate()
            }
            for value in [field.range.lowerBound - 1, field.range.upperBound + 1] {
                shape[keyPath: field.path] = value
                let error = ConfigurationError.outOfRange(name: field.name, value: value, range: field.range)
                #expect(throws: error) { try shape.validate() }
                #expect(throws: error) { _ = try SequenceModel(initializing: shape, seed: 1, on: CPUBackend()) }
            }
        }
        for (epsilon, isValid) in [(0, true), (0.5, true), (-0.1, false), (1, false), (.nan, false)]
            as [(Float, Bool)]
        {
            var shape = ModelConfiguration(itemCount: 5)
            shape.normEpsilon = epsilon
            #expect(((try? shape.validate()) != nil) == isValid, "\(epsilon)")
        }
    }

    /// Each field alone, for one that is left out would come back as the default.
    @Test func shapesSurviveTheirText() throws {
        let changes: [(inout ModelConfiguration) -> Void] = [
            { $0.itemCount = 7 }, { $0.hiddenSize = 7 }, { $0.layerCount = 7 }, { $0.mixer = .attention },
            { $0.block = .recurrenceOnly }, { $0.expansion = 7 }, { $0.attentionWindow = 7 },
            { $0.convolutionWidth = 7 }, { $0.feedForward = false }, { $0.decayInitialization = .normal },
            { $0.warmupSteps = 7 }, { $0.repeatAware = true }, { $0.transitions = true }, { $0.normEpsilon = 0.125 },
        ]
        var seen: [ModelConfiguration] = []
        for change in changes {
            var shape = ModelConfiguration(itemCount: 5)
            change(&shape)
            #expect(try JSONDecoder().decode(ModelConfiguration.self, from: JSONEncoder().encode(shape)) == shape)
            #expect(!seen.contains(shape))
            seen.append(shape)
        }
    }

    /// L · K · H: written out, for each kind of layer.
    @Test func sizesFollowFromTheShape() {
        var shape = ModelConfiguration(itemCount: 5)
        (shape.hiddenSize, shape.layerCount, shape.expansion, shape.convolutionWidth) = (6, 3, 4, 5)
        #expect(shape.recurrenceSize == 24 && shape.innerSize == 24 && shape.windowLength == 4)
        #expect(shape.stateSize == 3 * (4 * 24 + 24) && shape.repeatWindow == 0)
        shape.convolutionWidth = 0
        #expect(shape.windowLength == 0 && shape.stateSize == 3 * 24 && !shape.hasConvolution)
        (shape.convolutionWidth, shape.block, shape.repeatAware) = (5, .recurrenceOnly, true)
        #expect(shape.recurrenceSize == 6 && shape.stateSize == 3 * 6 && shape.repeatWindow == 1024)
    }
}

/// Scores without a finite bound are not ranked.
@Suite struct ScoreBoundTests {
    /// Hidden vectors (x, x) and items (1, 2), (y, 0): the largest norm, wherever it is, times that of the vector.
    @Test func theBoundIsTheProductOfTheNorms() throws {
        var shape = ModelConfiguration(itemCount: 9000)  // more than are looked at at a time
        shape.hiddenSize = 2
        let backend = CPUBackend()
        let limit = Double(Float.greatestFiniteMagnitude) / 2
        for row in [0, 1, 4096, 8191, 8192, 8999] {
            let model = SequenceModel(zerosFor: shape, on: backend)
            backend.upload([3e18, 4e18], to: model.itemTable.rows(row..<row + 1))
            let bound = ScoreBound(model)
            let edge = limit / 5e18
            for (length, isFinite) in [(0.999, true), (1.001, false), (.infinity, false), (.nan, false)] {
                for place in 0..<3 {
                    var values = [Float](repeating: 0, count: 6)
                    values[2 * place] = Float(0.6 * length * edge)
                    values[2 * place + 1] = Float(-0.8 * length * edge)
                    let hidden = backend.tensor(3, 2)
                    backend.upload(values, to: hidden)
                    #expect(bound.holds(for: hidden) == isFinite, "row \(row), length \(length)")
                }
            }
        }
    }

    @Test func itemsThatAreNoNumbersAreSeenInAnyBlock() {
        var shape = ModelConfiguration(itemCount: 9000)
        shape.hiddenSize = 2
        let backend = CPUBackend()
        for (row, value) in [(0, Float.nan), (8191, .infinity), (8192, .nan), (8999, -.infinity)] {
            let model = SequenceModel(zerosFor: shape, on: backend)
            backend.upload([1, value], to: model.itemTable.rows(row..<row + 1))
            let hidden = backend.tensor(1, 2)
            backend.upload([1e-30, 0], to: hidden)
            #expect(!ScoreBound(model).holds(for: hidden), "row \(row)")
        }
    }
}
