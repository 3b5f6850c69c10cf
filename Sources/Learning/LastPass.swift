internal import BERT
internal import Kernels
internal import Tensors

/// The last pass of a worker's step: when it has written a part of its gradient, that part of all block sums is final.
///
/// The sum that it belongs to may have to be added to others first. That happens part by part, too, as soon as a part
/// is written: the same additions as afterwards, and the same bits.
final class LastPass {
    /// The last lane with samples, and the number of its last batch with samples.
    let lane: Int
    let batch: Int
    private let whenFinal: (Range<Int>) -> Void
    /// The sums to which the present one is added afterwards, the innermost last.
    private var outer: [FloatView] = []
    private var isOver = false

    /// Nil if no lane has samples.
    init?(of work: LaneWork, whenFinal: @escaping (Range<Int>) -> Void) {
        guard let place = work.lanes.lastIndex(where: { $0.contains { $0.sentenceCount > 0 } }),
            let batch = work.lanes[place].lastIndex(where: { $0.sentenceCount > 0 })
        else { return nil }
        lane = work.firstLane + place
        self.batch = batch
        self.whenFinal = whenFinal
    }

    /// From here on a sum is computed that is added to `sum`, if there is one.
    func begin(addingTo sum: FloatView?) { if let sum { outer.append(sum) } }

    /// - Returns: whether it has been added already.
    func end(addingTo sum: FloatView?) -> Bool {
        if sum != nil { outer.removeLast() }
        return isOver
    }

    /// The last pass writes `range` of `sum` no more.
    func isFinal(_ range: Range<Int>, of sum: FloatView) {
        isOver = true
        var from = sum
        for into in outer.reversed() {
            add(from[range], to: into[range])
            from = into
        }
        whenFinal(range)
    }
}
