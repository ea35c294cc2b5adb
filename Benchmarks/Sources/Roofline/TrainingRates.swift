import CPUBackend
import Foundation
import Identifiers
import Interactions
import Models
import Tensors
import Training

/// Training speed of one precision and step size.
struct TrainingRate: Encodable, Sendable {
    /// Precision of matrix products.
    let precision: String
    /// Events of a step's batch.
    let tokensAStep: Int
    /// Events per second: medians over the rounds.
    let oneThread, allThreads: Double
    /// Nanoseconds of processor time per token on one thread, and the fraction of it that the products would take at `productPeak`.
    let oneThreadNanoseconds, oneThreadShareOfPeak: Double
    /// GFLOP/s of this precision's products at the shape of the widest layer, on one thread: median over the rounds.
    let layerProductRate: Double
    /// GFLOP/s of the best products of this precision on one thread.
    let productPeak: Double
    /// Speed-up of all threads over one: median of the rounds' ratios.
    let scaling: Double
    /// Speed-up over float32 at the same step size: median of the rounds' ratios.
    let speedup: Double
    /// The limit of tokens per second if a step had only products, at `layerProductRate` on all threads.
    let limit: Double
    /// Fraction of that limit, and of the limit at `productPeak`.
    let share, shareOfPeak: Double
}

/// FLOPs of all products of a training step per token: forward, and twice that backward.
func trainingFLOPs(_ shape: ModelConfiguration) -> Double {
    let (d, h) = (Double(shape.hiddenSize), Double(shape.recurrenceSize))
    let layer = 2 * (d * 2 * h + h * 2 * h + h * d + 2 * d * Double(shape.innerSize))
    return 3 * (Double(shape.layerCount) * layer + 2 * Double(shape.itemCount) * d)
}

/// Random sequences of 20 to about 2 · `meanLength` − 20 events, popular items more often.
func syntheticDataset(users: Int, meanLength: Int, items: Int) -> Dataset {
    var generator = SeededGenerator(seed: 5)
    let sequences = (0..<users).map { _ in
        (0..<Int.random(in: 20...2 * meanLength - 20, using: &generator)).map { _ in
            ItemID(row: Int(Double(items) * pow(generator.uniform(), 2)))
        }
    }
    return Dataset(sequences: sequences, itemCount: items)
}

/// Trains for an epoch with every precision, step size and number of threads in turn, round after round: ratios are taken
/// within a round, so that a drift of the machine affects all alike.
final class TrainingTimer {
    struct Setting: Hashable {
        var precision: Precision
        var tokens: Int
        var threads: Int
    }

    private let data: Dataset
    private let threads: Int
    let precisions: [Precision]
    private let steps: [Int]
    private(set) var rates: [Setting: [Double]] = [:]
    /// Nanoseconds of processor time per token, for one thread.
    private(set) var stepTimes: [Setting: [Double]] = [:]
    private var productRates: [Precision: [Double]] = [:]

    init(_ data: Dataset, threads: Int, precisions: [Precision], steps: [Int]) {
        (self.data, self.threads, self.precisions, self.steps) = (data, threads, precisions, steps)
    }

    func round(_ limits: [Precision: Limits]) throws(TrainingError) {
        for precision in precisions {
            productRates[precision, default: []].append(limits[precision]!.layerProductRate())
        }
        for tokens in steps {
            for precision in precisions {
                for threads in Set([1, threads]).sorted() {
                    let setting = Setting(precision: precision, tokens: tokens, threads: threads)
                    rates[setting, default: []].append(try epoch(setting))
                }
            }
        }
    }

    /// Events per second of one epoch.
    private func epoch(_ setting: Setting) throws(TrainingError) -> Double {
        var options = TrainingOptions()
        (options.epochs, options.batchTokens, options.threads) = (1, setting.tokens, setting.threads)
        let split = Split(
            trainingEnd: (0..<data.userCount).map { data.length(ofUser: $0) }, validation: [], test: [])
        let tokens = (0..<data.userCount).reduce(0) { $0 + data.length(ofUser: $1) - 1 }
        var (rate, first) = (0.0, 0.0)
        _ = try Trainer(
            data, split, ModelConfiguration(itemCount: data.itemCount), options,
            backend: CPUBackend(precision: setting.precision)
        ).run(report: { event in
            switch event {
            case .step(let progress) where progress.batch == 1: first = threadSeconds()
            case .step(let progress) where progress.batch == progress.batches && setting.threads == 1:
                // All batches except the first.
                let count = Double(tokens) * Double(progress.batches - 1) / Double(progress.batches)
                stepTimes[setting, default: []].append((threadSeconds() - first) / count * 1e9)
            case .epoch(let record): rate = record.tokensPerSecond
            default: break
            }
        })
        return rate
    }

    func results(_ limits: [Precision: Limits]) -> [TrainingRate] {
        let flops = trainingFLOPs(ModelConfiguration(itemCount: data.itemCount))
        return steps.flatMap { tokens in
            precisions.map { precision in
                func of(_ precision: Precision, _ threads: Int) -> [Double] {
                    rates[Setting(precision: precision, tokens: tokens, threads: threads)]!
                }
                func ratio(_ a: [Double], _ b: [Double]) -> Double { median(zip(a, b).map { $0 / $1 }) }
                let (one, all) = (of(precision, 1), of(precision, threads))
                let products = productRates[precision]!.map { $0 * Double(threads) / flops }
                let peak = limits[precision]!.productPeak
                let step = median(stepTimes[Setting(precision: precision, tokens: tokens, threads: 1)]!)
                return TrainingRate(
                    precision: precision.rawValue, tokensAStep: tokens, oneThread: median(one), allThreads: median(all),
                    oneThreadNanoseconds: step, oneThreadShareOfPeak: flops / peak * 1e9 / step,
                    layerProductRate: median(productRates[precision]!) / 1e9, productPeak: peak / 1e9,
                    scaling: ratio(all, one), speedup: ratio(all, of(.float32, threads)),
                    limit: median(products), share: ratio(all, products),
                    shareOfPeak: median(all) / (peak * Double(threads) / flops))
            }
        }
    }
}
