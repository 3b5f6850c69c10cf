import Kernels
import Tensors
import Testing

@Suite struct PositionSumTests {
    private func values(_ count: Int) -> FloatView { view((0..<count).map { Float($0 % 37) * 0.37 - 5 }) }

    @Test(arguments: [PositionSum.Kind.parameters, .firstMoments, .secondMoments])
    func `a sum does not depend on where it is cut`(kind: PositionSum.Kind) {
        let x = values(211)
        let whole = PositionSum.of(x, from: 1_000, kind)
        for cut in 0...x.count {
            let sum = PositionSum.of(x[0..<cut], from: 1_000, kind) &+ PositionSum.of(x[cut..<x.count], from: 1_000 + cut, kind)
            #expect(sum == whole, "cut at \(cut)")
        }
    }

    @Test func `every single bit counts, and so do place and kind`() {
        let x = values(75)
        let whole = PositionSum.of(x, from: 7, .parameters)
        for place in 0..<x.count {
            for bit in 0..<32 {
                let before = x[place]
                x[place] = Float(bitPattern: before.bitPattern ^ (1 << UInt32(bit)))
                #expect(PositionSum.of(x, from: 7, .parameters) != whole, "bit \(bit) of element \(place)")
                x[place] = before
            }
        }
        #expect(PositionSum.of(x, from: 8, .parameters) != whole)
        #expect(PositionSum.of(x, from: 7, .firstMoments) != whole)
        #expect(PositionSum.of(x, from: 7, .firstMoments) != PositionSum.of(x, from: 7, .secondMoments))
    }

    @Test func `an update writes the same with sums and without, and sums what it wrote`() {
        for count in [1, 15, 16, 45, 4_100] {
            let a = (values(count), view([Float](repeating: 0.25, count: count)), view([Float](repeating: 0.5, count: count)))
            let b = (values(count), view([Float](repeating: 0.25, count: count)), view([Float](repeating: 0.5, count: count)))
            for gradient in [nil, view([Float](repeating: 0.125, count: count))] {
                adamUpdate(sampleConstants, gradient: gradient, parameters: a.0, first: a.1, second: a.2)
                var sums = RowSums()
                summedAdamUpdate(
                    sampleConstants, gradient: gradient, parameters: b.0, first: b.1, second: b.2, places: (parameters: 900, moments: 33),
                    sums: &sums)
                #expect(a.0.array == b.0.array && a.1.array == b.1.array && a.2.array == b.2.array)
                #expect(sums.count == 1 && sums[0].parameters == PositionSum.of(b.0, from: 900, .parameters))
                #expect(sums[0].moments == PositionSum.of(b.1, from: 33, .firstMoments) &+ PositionSum.of(b.2, from: 33, .secondMoments))
            }
        }
    }

    @Test func `rows have sums of their own, which add up to that of all`() {
        func state() -> (FloatView, FloatView, FloatView) {
            (values(5 * 21), view([Float](repeating: 0.25, count: 105)), view([Float](repeating: 0.5, count: 105)))
        }
        let (a, b) = (state(), state())
        var (rows, whole) = (RowSums(), RowSums())
        // Two rows, then the three after them.
        for (first, count) in [(0, 2), (2, 3)] {
            let part = (first * 21)..<((first + count) * 21)
            summedAdamUpdate(
                sampleConstants, rows: count, gradient: values(105)[part], parameters: a.0[part], first: a.1[part], second: a.2[part],
                places: (parameters: 40 + first * 21, moments: 7 + first * 21), sums: &rows)
        }
        summedAdamUpdate(
            sampleConstants, gradient: values(105), parameters: b.0, first: b.1, second: b.2, places: (parameters: 40, moments: 7),
            sums: &whole)
        #expect(a.0.array == b.0.array && rows.count == 5)
        #expect(rows.total == whole[0])
        #expect(rows[3].parameters == PositionSum.of(a.0[63..<84], from: 103, .parameters))
    }
}
