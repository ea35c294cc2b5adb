import Interactions
import Training

/// A dataset of the paper with its Table 3: test HR@10 and NDCG@10, seen items among the candidates.
struct PaperResults {
    let dataset: String
    /// Size after the paper's filters (Table 2), by which a dataset is recognised.
    let shape: DatasetShape
    /// One row for each variant of ``ExperimentKind/ablations``.
    let ablations: [Ablation: Scores]

    /// The models of Table 3.
    enum Ablation: CaseIterable {
        /// The whole model.
        case full
        /// The recurrence alone.
        case recurrenceOnly
        /// No convolution.
        case noConvolution
        /// No feed-forward network.
        case noFeedForward
        /// Λ like every other weight.
        case noDecayInitialization
        /// One layer.
        case singleLayer
    }

    /// HR@10 and NDCG@10.
    struct Scores: Equatable {
        let hr, ndcg: Double
    }

    /// The paper's results on a dataset of this size, which is then the paper's, but perhaps in another order of events.
    init?(for shape: DatasetShape) {
        guard let known = Self.all.first(where: { $0.shape == shape }) else { return nil }
        self = known
    }

    /// In the order of ``Ablation/allCases``; values × 10⁻⁴.
    private init(_ dataset: String, _ users: Int, _ items: Int, _ events: Int, _ scores: [(hr: Double, ndcg: Double)]) {
        self.dataset = dataset
        shape = DatasetShape(users: users, items: items, events: events)
        ablations = Dictionary(
            uniqueKeysWithValues: zip(Ablation.allCases, scores.map { Scores(hr: $0.hr / 1e4, ndcg: $0.ndcg / 1e4) }))
    }

    private static let all = [
        PaperResults(
            "ML-1M", 6_040, 3_416, 999_611,
            [(3285, 1901), (3010, 1695), (3245, 1855), (3139, 1780), (3263, 1894), (3127, 1802)]),
        PaperResults(
            "Gowalla", 64_115, 164_533, 2_018_421,
            [(1248, 601), (1199, 579), (1241, 599), (1209, 576), (1188, 572), (1240, 585)]),
        PaperResults(
            "Steam", 25_389, 4_090, 328_378,
            [(1421, 745), (1392, 703), (1418, 754), (1404, 728), (1414, 741), (1434, 741)]),
        PaperResults(
            "Beauty", 22_363, 12_101, 198_502,
            [(881, 446), (840, 405), (843, 433), (840, 425), (834, 427), (808, 403)]),
        PaperResults(
            "Sports", 35_598, 18_357, 296_337,
            [(500, 238), (454, 223), (480, 228), (480, 227), (479, 223), (483, 229)]),
    ]
}
