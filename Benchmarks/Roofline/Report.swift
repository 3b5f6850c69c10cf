internal import Configuration
import Foundation
import Kernels
internal import Learning
internal import Runs
internal import Wording

/// What was measured over some steps.
struct Report: Encodable {
    /// One kind of work, over all steps.
    struct Kind: Encodable {
        var name: String
        var calls: Int
        var seconds: Double
        var operations: Double
        var bytes: Double
    }

    let arithmetic = Arithmetic.description
    let vectorLevel = Arithmetic.vectorLevel
    let model: String
    let lanes: Int
    let steps: Int
    var samples = 0
    var tokens = 0
    /// Of each step: as it is; with meters; its matrix products alone; attention's products as calls of their own.
    var seconds: [Double] = []
    var meteredSeconds: [Double] = []
    var productSeconds: [Double] = []
    var attentionSeconds: [Double] = []
    var kinds: [Kind] = []
    /// Of each step: how often it asked the heap for memory, and for how many bytes.
    var allocations: [Int] = []
    var allocatedBytes: [Int] = []
    /// Operations a second of one core's multiply-adds, and bytes a second of a large sum.
    var peak = 0.0
    var bandwidth = 0.0

    init(_ inputs: RunInputs, steps: Int) {
        model = (inputs.configuration.model as NSString).lastPathComponent
        lanes = inputs.plan.laneCount
        self.steps = steps
    }

    mutating func add(_ more: [Kind]) {
        guard !kinds.isEmpty else { return kinds = more }
        for place in kinds.indices {
            kinds[place].calls += more[place].calls
            kinds[place].seconds += more[place].seconds
            kinds[place].operations += more[place].operations
            kinds[place].bytes += more[place].bytes
        }
    }

    private static func median(_ values: [Double]) -> Double { values.isEmpty ? 0 : values.sorted()[values.count / 2] }

    /// Time of the step's matrix products alone over the time of the step: each step by itself, then the median.
    var efficiency: Double {
        Self.median(seconds.indices.map { (productSeconds[$0] + attentionSeconds[$0]) / seconds[$0] })
    }
    /// The same without attention's products.
    var efficiencyWithoutAttention: Double { Self.median(seconds.indices.map { productSeconds[$0] / seconds[$0] }) }
    var samplesPerSecond: Double { Double(samples) / Double(steps) / Self.median(seconds) }

    private enum Key: String, CodingKey {
        case vectorLevel = "vector_level"
        case arithmetic, model, lanes, steps, samples, tokens, kinds, peak, bandwidth, efficiency
        case efficiencyWithoutAttention = "efficiency_without_attention"
        case samplesPerSecond = "samples_per_second"
        case seconds = "seconds_a_step"
        case metered = "metered_seconds_a_step"
        case products = "product_seconds_a_step"
        case attention = "attention_product_seconds_a_step"
        case allocations = "allocations_of_steps"
        case allocatedBytes = "allocated_bytes_of_steps"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(arithmetic, forKey: .arithmetic)
        try container.encode(vectorLevel, forKey: .vectorLevel)
        try container.encode(model, forKey: .model)
        try container.encode(lanes, forKey: .lanes)
        try container.encode(steps, forKey: .steps)
        try container.encode(samples, forKey: .samples)
        try container.encode(tokens, forKey: .tokens)
        try container.encode(Self.median(seconds), forKey: .seconds)
        try container.encode(Self.median(meteredSeconds), forKey: .metered)
        try container.encode(Self.median(productSeconds), forKey: .products)
        try container.encode(Self.median(attentionSeconds), forKey: .attention)
        try container.encode(efficiency, forKey: .efficiency)
        try container.encode(efficiencyWithoutAttention, forKey: .efficiencyWithoutAttention)
        try container.encode(samplesPerSecond, forKey: .samplesPerSecond)
        try container.encode(allocations, forKey: .allocations)
        try container.encode(allocatedBytes, forKey: .allocatedBytes)
        try container.encode(peak, forKey: .peak)
        try container.encode(bandwidth, forKey: .bandwidth)
        try container.encode(kinds.filter { $0.calls > 0 }, forKey: .kinds)
    }

    /// A Markdown table, the longest kind first, times a step.
    var table: String {
        let step = meteredSeconds.reduce(0, +)
        var lines = [
            "\(model), \(lanes) lanes, 1 thread, \(steps) steps of \(tokens / steps) tokens; \(arithmetic), vectors "
                + "\(vectorLevel)",
            "", "| kind of work | calls a step | ms a step | share | GFLOP/s | GB/s |", "|---|---|---|---|---|---|",
        ]
        func row(_ name: String, _ calls: Int, _ seconds: Double, _ operations: Double, _ bytes: Double) {
            let cells = [
                name, "\(calls / steps)", decimal(1_000 * seconds / Double(steps), 2),
                "\(decimal(100 * seconds / step, 1)) %",
                operations > 0 ? decimal(operations / seconds * 1e-9, 1) : "",
                bytes > 0 ? decimal(bytes / seconds * 1e-9, 1) : "",
            ]
            lines.append("| " + cells.joined(separator: " | ") + " |")
        }
        let shown = kinds.filter { $0.calls > 0 }.sorted { $0.seconds > $1.seconds }
        for kind in shown {
            row(
                kind.name.replacingOccurrences(of: "_", with: " "), kind.calls, kind.seconds, kind.operations,
                kind.bytes)
        }
        row("everything else", 0, max(0, step - shown.reduce(0) { $0 + $1.seconds }), 0, 0)
        let (plain, products, attention) = (
            Self.median(seconds), Self.median(productSeconds), Self.median(attentionSeconds)
        )
        lines += [
            "",
            "One core: \(decimal(peak * 1e-9, 0)) GFLOP/s of multiply-adds, \(decimal(bandwidth * 1e-9, 1)) GB/s of a "
                + "large sum.",
            "A step takes \(decimal(plain * 1_000, 1)) ms (\(decimal(Self.median(meteredSeconds) * 1_000, 1)) with "
                + "meters), "
                + "\(decimal(samplesPerSecond, 1)) samples/s; its products alone \(decimal(products * 1_000, 1)) ms, "
                + "and attention's as calls of their own \(decimal(attention * 1_000, 1)) ms.",
            "GEMM efficiency: \(decimal(efficiency, 3)); without attention's products: "
                + "\(decimal(efficiencyWithoutAttention, 3)).",
            "Heap: \(allocations.count { $0 == 0 }) of \(steps) steps allocated nothing; the others, with more "
                + "tokens than any before, "
                + "\(allocations.reduce(0, +)) times for \(allocatedBytes.reduce(0, +) / 1_000) kB in all.",
        ]
        return lines.joined(separator: "\n")
    }
}
