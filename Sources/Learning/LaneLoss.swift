internal import BERT

/// The sum of one lane's sample losses, per task.
package struct LaneLoss: Sendable, Equatable {
    package var target = 0.0
    package var source = 0.0

    package init(target: Double = 0.0, source: Double = 0.0) {
        self.target = target
        self.source = source
    }
    package var isFinite: Bool { target.isFinite && source.isFinite }
}

/// The losses of consecutive lanes.
struct LaneLosses {
    private(set) var first = 0
    private(set) var values: [LaneLoss] = []

    /// Nothing yet for any of `lanes`, in the same memory as before.
    mutating func begin(_ lanes: Range<Int>) {
        first = lanes.lowerBound
        values.removeAll(keepingCapacity: true)
        values.append(contentsOf: repeatElement(LaneLoss(), count: lanes.count))
    }

    mutating func add(_ loss: Double, of stream: TaskStream, at lane: Int) {
        if stream == .target { values[lane - first].target += loss } else { values[lane - first].source += loss }
    }
}
