import FileSupport
import Report

extension BenchReport {
    var text: String {
        """
        \(machine.text), \(threads) threads

        \(trainingText)

        \(copiesText)

        \(operations.text)

        \(servingText)

        One step of one user, median             \(fixed(stepMicroseconds, 1)) µs
        Peak memory of all this                  \(fixed(peakMegabytes, 0)) MB
        """
    }

    /// One row for each model, without and with the repeat-aware head.
    private var servingText: String {
        let lengths = serving[0].batches.map { "\(grouped($0.events)) event\($0.events == 1 ? "" : "s")" }
        var table = TextTable(
            ["Serving, 3,416 items", "6,040 ranked, s", "step and top 10, µs"] + lengths.map { "users/s, \($0)" })
        for bench in serving {
            table.add(
                [
                    bench.repeatAware ? "with the repeat-aware head" : "without the repeat-aware head",
                    fixed(bench.evaluationSeconds, 2), fixed(bench.recommendMicroseconds, 1),
                ] + bench.batches.map { grouped(Int($0.usersPerSecond)) })
        }
        return table.text
    }

    private var copiesText: String {
        let copies = operations.copyRates.sorted { $0.key < $1.key }.map { bytes, rate in
            "\(fixed(rate, 0)) in \(grouped(bytes >> 10)) KB (\(machine.nearestMemory(holding: bytes)))"
        }
        let disturbed = operations.processorShare < 0.95
        return "Copies on one thread, GB/s read and written: " + copies.joined(separator: ", ")
            + (disturbed ? "\nOther work ran: the rows below had \(percent(operations.processorShare)) of a core." : "")
    }

    /// "processor ns" is processor time per token.
    private var trainingText: String {
        var table = TextTable([
            "Training, tokens/s", "1 thread", "processor ns", "of peak", "\(threads) threads", "scaling", "to float32",
            "limit", "share", "of peak",
        ])
        for entry in training {
            table.add([
                "\(entry.precision), \(grouped(entry.tokensAStep)) a step", grouped(Int(entry.oneThread)),
                grouped(Int(entry.oneThreadNanoseconds)), percent(entry.oneThreadShareOfPeak),
                grouped(Int(entry.allThreads)), fixed(entry.scaling, 2) + " x", fixed(entry.speedup, 2) + " x",
                grouped(Int(entry.limit)), percent(entry.share), percent(entry.shareOfPeak),
            ])
        }
        var lines = training.filter { $0.tokensAStep == training[0].tokensAStep }.map { entry in
            "\(entry.precision) products on one thread, GFLOP/s: \(fixed(entry.layerProductRate, 0)) at the widest layer's "
                + "shape, \(fixed(entry.productPeak, 0)) at best"
        }
        lines.append("float32 products on \(threads) threads at once: \(fixed(productScaling, 2)) x those on one")
        return table.text + "\n\n" + lines.joined(separator: "\n")
    }
}

extension Machine {
    var text: String { "\(processor), \(instructionSet), \(productLibrary)" }
}

extension OperationTable {
    /// One row for each operation, the sum, and the rest of a measured step.
    var text: String {
        var table = TextTable([
            "\(precision), 1 thread, per token", "calls", "ns", "bytes", "FLOPs", "set", "in", "copy GB/s", "by",
            "own limit",
        ])
        for row in rows {
            table.add([
                row.name, "\(row.calls)", fixed(row.nanoseconds, 0), grouped(Int(row.bytes)), grouped(Int(row.flops)),
                "\(grouped(Int(row.workingSetKilobytes))) KB", row.home, fixed(row.copyGigabytes, 0),
                row.limitedByArithmetic ? "FLOPs" : "bytes", percent(row.share),
            ])
        }
        func total(_ name: String, _ nanoseconds: Double, _ share: String) {
            table.add([name, "", fixed(nanoseconds, 0), "", "", "", "", "", "", share])
        }
        total("sum", sumNanoseconds, percent(limitNanoseconds / sumNanoseconds))
        total(
            "a step of \(grouped(stepTokens)) tokens, measured", stepNanoseconds,
            percent(limitNanoseconds / stepNanoseconds))
        total("unexplained rest", restNanoseconds, "")
        return table.text
    }
}

func percent(_ fraction: Double) -> String { fixed(100 * fraction, 0) + " %" }
