package import Files

/// The steps of a run as curves of bounded length: each point covers the same number of steps.
package struct StepSeries {
    private let groups: [ArraySlice<RunRecord.Step>]

    package init(_ steps: [RunRecord.Step], most: Int = 1_200) {
        let size = max(1, (steps.count + most - 1) / most)
        groups = stride(from: 0, to: steps.count, by: size).map { steps[$0..<min($0 + size, steps.count)] }
    }

    /// The mean loss of each point.
    package var means: [Double] { groups.map { group in group.reduce(0) { $0 + $1.loss } / Double(group.count) } }

    var json: JSONValue {
        func column(_ value: (ArraySlice<RunRecord.Step>) -> Double) -> JSONValue {
            .array(groups.map { .point(value($0)) })
        }
        func mean(_ value: @escaping (RunRecord.Step) -> Double) -> JSONValue {
            column { group in group.reduce(0) { $0 + value($1) } / Double(group.count) }
        }
        var members: [JSONValue.Member] = [
            .init("step", .array(groups.map { .integer($0[$0.endIndex - 1].step) })), .init("loss", mean(\.loss)),
            .init("loss_low", column { $0.map(\.loss).min() ?? .nan }),
            .init("loss_high", column { $0.map(\.loss).max() ?? .nan }),
            .init("learning_rate", column { $0[$0.endIndex - 1].learningRate }),
            .init("gradient_norm", mean(\.gradientNorm)),
            .init(
                "speed",
                column { group in group.reduce(0) { $0 + Double($1.samples) } / group.reduce(0) { $0 + $1.seconds } }),
            .init("workers", column { Double($0[$0.endIndex - 1].workers) }),
        ]
        if groups.contains(where: { $0.contains { $0.sourceLoss != nil } }) {
            members.append(.init("source_loss", mean { $0.sourceLoss ?? .nan }))
        }
        return .object(members)
    }
}

extension JSONValue {
    /// Six digits, enough for a curve; null if not a number.
    package static func point(_ value: Double) -> JSONValue {
        guard value.isFinite else { return .null }
        if value == value.rounded(), abs(value) < 1e15 { return .integer(Int(value)) }
        return .float(Float(value))
    }
}
