import Foundation
import Testing

@testable import Report

@Suite struct ChartTests {
    private static func line(_ points: [LineChart.Point], name: String = "a") -> LineChart {
        LineChart(name, xLabel: name, [.init(name, points), .init(name + "2", points)], digits: 2, mark: (1, name))
    }

    private static let shapes: [[LineChart.Point]] = [
        [], [.init(1, 5)], [.init(1, 0), .init(2, 0)], [.init(0, -3), .init(0.5, 3, deviation: 1)],
        [.init(1, .nan), .init(2, 1)], [.init(1, 1e-12), .init(1e6, 1e12)], [.init(1, 5), .init(2, 5 + 1e-15)],
        (0..<500).map { .init(Double($0), Double($0 * $0)) },
    ]

    @Test(arguments: shapes) func everyLineIsInsideItsFrame(points: [LineChart.Point]) throws {
        let file = svgFile([Self.line(points)])
        let chart = Parsed(file)
        #expect(chart.isWellFormed && !file.contains("nan"))
        for (name, limit) in [("x", 360.0), ("cx", 360), ("y", 220), ("cy", 220)] {
            let places = chart.attributes.filter { $0.name == name }.map { Double($0.value) ?? -1 }
            #expect(places.allSatisfy { $0 >= 0 && $0 <= limit }, "\(name) \(places)")
        }
        #expect((chart.elements["circle"] ?? 0) <= 120, "dots that would run into each other are left out")
    }

    @Test func barsAreAsLongAsTheirValues() {
        let chart = BarChart(
            "t", series: ["a", "b"],
            [("one", [.init(1), .init(2, deviation: 0.1)]), ("two", [.init(0), .init(.nan)])],
            digits: 1)
        let found = Parsed(svgFile([chart]))
        #expect(found.isWellFormed)
        let widths = found.attributes.filter { $0.name == "width" }.compactMap { Double($0.value) }.suffix(3)
        #expect(abs(widths[widths.startIndex + 1] - 2 * widths[widths.startIndex]) < 0.2)
        #expect(widths.last == 0)
        #expect(chart.description == "one: a 1.0, b 2.0 ± 0.1; two: a 0.0, b –.")
    }

    @Test(arguments: hostile) func namesStayText(name: String) {
        let bars = BarChart(name, series: [name, name], [(name, [.init(1), .init(2)])], digits: 1)
        let plain = BarChart("a", series: ["a", "a"], [("a", [.init(1), .init(2)])], digits: 1)
        for (chart, like) in [
            (svgFile([bars]), svgFile([plain])),
            (svgFile([Self.line([.init(1, 2)], name: name)]), svgFile([Self.line([.init(1, 2)])])),
        ] {
            #expect(Parsed(chart).isWellFormed && Parsed(chart).elements == Parsed(like).elements)
        }
    }

    @Test(arguments: [
        ([0.0, 1], ["0.0", "0.5", "1.0"]), ([0, 0.12], ["0.00", "0.05", "0.10", "0.15"]),
        ([4.97, 7.2], ["4", "5", "6", "7", "8"]),
        ([12_000, 31_000], ["10,000", "15,000", "20,000", "25,000", "30,000", "35,000"]),
        ([-1, 1], ["-1.0", "-0.5", "0.0", "0.5", "1.0"]),
    ])
    func marksAreRound(values: [Double], labels: [String]) {
        let axis = Axis(values, from: 100, to: 0)
        #expect(axis.ticks.map(axis.label) == labels)
        #expect(axis.position(axis.ticks[0]) == 100)
    }

    @Test func marksOfCountsAreWhole() {
        let axis = Axis([1, 3], from: 0, to: 100, count: 7, rounding: false, smallestStep: 1)
        #expect(axis.ticks.map(axis.label) == ["1", "2", "3"])
        #expect(axis.ticks.map(axis.position) == [0, 50, 100])
    }
}
