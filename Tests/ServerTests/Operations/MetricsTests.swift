import Foundation
import Metrics
import Testing

@testable import Server

@Suite struct MetricsTests {
    @Test func namesHavePrefixAndUnits() {
        let metrics = PrometheusMetrics(descriptions: ["recblr_a_total": "Things."])
        Counter(label: "a", factory: metrics).increment(by: 3)
        Metrics.Timer(label: "live.step-time", factory: metrics).recordMicroseconds(20)
        Gauge(label: "states", factory: metrics).record(2.5)
        Meter(label: "waiting", factory: metrics).increment(by: 4)
        let text = metrics.text()
        #expect(text.hasPrefix("# HELP recblr_a_total Things.\n# TYPE recblr_a_total counter\nrecblr_a_total 3\n"))
        #expect(text.contains("# TYPE recblr_live_step_time_seconds histogram\n"))
        #expect(text.contains("recblr_live_step_time_seconds_bucket{le=\"1e-05\"} 0\n"))
        #expect(text.contains("recblr_live_step_time_seconds_bucket{le=\"2.5e-05\"} 1\n"))
        #expect(text.contains("recblr_live_step_time_seconds_bucket{le=\"+Inf\"} 1\n"))
        #expect(text.contains("recblr_live_step_time_seconds_sum 2e-05\n"))
        #expect(text.contains("recblr_live_step_time_seconds_count 1\n"))
        #expect(text.contains("recblr_states 2.5\n"))
        #expect(text.contains("recblr_waiting 4\n"))
    }

    @Test func valuesOfLabelsAndHelpAreEscaped() {
        #expect(labelText([("b", "x"), ("a.b", "q\"u\\o\nte")]) == #"a_b="q\"u\\o\nte",b="x""#)
        #expect(header("n", .gauge, "a\\b\nc") == "# HELP n a\\\\b\\nc\n# TYPE n gauge\n")
        #expect(labelText([("1st", "")]) == "_1st=\"\"")
        #expect(metricName("ok_total", .counter) == "recblr_ok_total")
    }

    @Test func numbersAreThoseOfPrometheus() {
        #expect(
            [0, -2, 1e15, 0.25, .infinity, -.infinity, .nan].map(number) == [
                "0", "-2", "1000000000000000", "0.25", "+Inf", "-Inf", "NaN",
            ])
    }

    /// One instrument for one name and set of labels, whoever makes it, in whatever order the labels come.
    @Test func equalLabelsAreOneSeries() {
        let metrics = PrometheusMetrics()
        Counter(label: "n", dimensions: [("a", "1"), ("b", "2")], factory: metrics).increment()
        Counter(label: "n", dimensions: [("b", "2"), ("a", "1")], factory: metrics).increment()
        Counter(label: "n", dimensions: [("a", "2"), ("b", "2")], factory: metrics).increment()
        #expect(metrics.text().hasSuffix("recblr_n_total{a=\"1\",b=\"2\"} 2\nrecblr_n_total{a=\"2\",b=\"2\"} 1\n"))
    }

    /// A name of two kinds would be no valid text; the second still takes values.
    @Test func oneNameHasOneKind() {
        let metrics = PrometheusMetrics()
        Gauge(label: "x", factory: metrics).record(1)
        Recorder(label: "x", factory: metrics).record(7)
        #expect(metrics.text().contains("# TYPE recblr_x gauge\nrecblr_x 1\n"))
        #expect(!metrics.text().contains("histogram"))
    }

    @Test func concurrentCountsAddUp() async {
        let metrics = PrometheusMetrics()
        await withTaskGroup { group in
            for task in 0..<8 {
                group.addTask {
                    for index in 0..<2_000 {
                        Counter(label: "events", factory: metrics).increment()
                        Recorder(label: "batch", factory: metrics).record(index % 4 + 1)
                        Meter(label: "waiting", factory: metrics).increment(by: task % 2 == 0 ? 1 : -1)
                    }
                }
            }
        }
        let text = metrics.text()
        #expect(text.contains("recblr_events_total 16000\n"))
        #expect(text.contains("recblr_batch_bucket{le=\"1\"} 4000\n"))
        #expect(text.contains("recblr_batch_bucket{le=\"2\"} 8000\n"))
        #expect(text.contains("recblr_batch_sum 40000\nrecblr_batch_count 16000\n"))
        #expect(text.contains("recblr_waiting 0\n"))
    }

    @Test func processTellsWhatItUses() throws {
        let metrics = PrometheusMetrics()
        let process = ProcessMetrics(version: "1.2.3", start: Date(timeIntervalSince1970: 1_000), in: metrics)
        process.update()
        let text = metrics.text()
        #expect(text.contains("recblr_build_info{version=\"1.2.3\"} 1\n"))
        #expect(text.contains("recblr_process_start_time_seconds 1000\n"))
        #expect(text.contains("# TYPE recblr_process_cpu_seconds_total counter\n"))
        func value(_ name: String) throws -> Double {
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(name + " ") })
            return try #require(Double(line.split(separator: " ")[1]))
        }
        #expect(try value("recblr_process_cpu_seconds_total") > 0)
        #expect(try value("recblr_process_open_fds") > 2)
        #if os(Linux)
            #expect(try value("recblr_process_resident_memory_bytes") > 1e6)
        #endif
        for line in text.split(separator: "\n") where line.hasPrefix("# HELP") {
            #expect(!line.contains("Not described"), "\(line)")
        }
    }
}
