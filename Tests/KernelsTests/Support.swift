import Kernels
import Synchronization
import Tensors

/// A small generator with a fixed sequence, so that every run of a test sees the same numbers.
struct FixedSequence: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 2 &+ 1 }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 29) ^ state
    }

    mutating func floats(_ count: Int, _ range: ClosedRange<Float> = -1...1) -> [Float] {
        (0..<count).map { _ in Float.random(in: range, using: &self) }
    }
}

func view(_ values: [Float]) -> FloatView {
    let buffer = FloatBuffer(count: values.count)
    buffer.view.copy(from: values)
    return buffer.view
}

func matrix(_ values: [Float], rows: Int, columns: Int) -> Matrix { Matrix(view(values), rows: rows, columns: columns) }

func zeros(_ rows: Int, _ columns: Int) -> Matrix {
    matrix([Float](repeating: 0, count: rows * columns), rows: rows, columns: columns)
}

func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

func largestDifference(_ a: [Float], _ b: [Double]) -> Double { zip(a, b).map { abs(Double($0) - $1) }.max() ?? 0 }

/// The level applies to the whole process: tests that set it run serially.
private let levelChoice = Mutex(())

/// What `body` gives with each instruction set that this processor has, and with each way to read a product's factors.
func onEachInstructionSet<Result: Sendable>(_ body: () -> Result) -> [Result] {
    levelChoice.withLock { _ in
        let (level, inPlace) = (Arithmetic.vectorLevel, readsInPlace)
        defer {
            _ = useVectorLevel(level)
            readsInPlace = inPlace
        }
        return Arithmetic.vectorLevels.flatMap { name in
            [true, false].map { way in
                _ = useVectorLevel(name)
                readsInPlace = way
                return body()
            }
        }
    }
}

/// Lanes of these numbers of rows, joined as the reduction tree joins them.
func lanes(_ rows: [Int]) -> LaneRows {
    func joins(_ lanes: Range<Int>) -> [UInt8] {
        if lanes.count == 1 { return [0] }
        var half = 1
        while half * 2 < lanes.count { half *= 2 }
        let middle = lanes.lowerBound + half
        var all = joins(lanes.lowerBound..<middle) + joins(middle..<lanes.upperBound)
        all[all.count - 1] += 1
        return all
    }
    var lanes = LaneRows(one: 0)
    lanes.set(first: rows.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int32($1)) }, joins: joins(0..<rows.count))
    return lanes
}
