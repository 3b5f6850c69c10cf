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
            let sum =
                PositionSum.of(x[0..<cut], from: 1_000, kind)
                &+ PositionSum.of(x[cut..<x.count], from: 1_000 + cut, kind)
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
            let a = (
                values(count), view([Float](repeating: 0.25, count: count)), view([Float](repeating: 0.5, count: count))
            )
            let b = (
                values(count), view([Float](repeating: 0.25, count: count)), view([Float](repeating: 0.5, count: count))
            )
            for gradient in [nil, view([Float](repeating: 0.125, count: count))] {
                adamUpdate(sampleConstants, gradient: gradient, parameters: a.0, first: a.1, second: a.2)
                let sums = summedAdamUpdate(
                    sampleConstants, gradient: gradient, parameters: b.0, first: b.1, second: b.2,
                    places: (parameters: 900, moments: 33))
                #expect(a.0.array == b.0.array && a.1.array == b.1.array && a.2.array == b.2.array)
                #expect(sums.parameters == PositionSum.of(b.0, from: 900, .parameters))
                #expect(
                    sums.moments == PositionSum.of(b.1, from: 33, .firstMoments)
                        &+ PositionSum.of(b.2, from: 33, .secondMoments))
            }
        }
    }

    @Test(arguments: [Set<Int32>(), [0], [2, 6], [1, 2, 3, 5, 6, 8]])
    func `rows of a table get the update that each would get by itself, with its sums`(withGradient: Set<Int32>) {
        let (width, list) = (21, [Int32](arrayLiteral: 0, 2, 3, 6, 8))
        func table() -> (FloatView, FloatView, FloatView) {
            (
                values(9 * width), view([Float](repeating: 0.25, count: 9 * width)),
                view([Float](repeating: 0.5, count: 9 * width))
            )
        }
        let gradient = SparseRows(ids: withGradient.sorted(), width: width)
        for place in gradient.ids.indices { gradient.row(place).fill(0.125 * Float(place + 1)) }
        let (a, b, c) = (table(), table(), table())
        var (sums, none) = (RowSums?.some(RowSums()), RowSums?.none)
        let (from, middle) = (list[..<2], list[2...])
        // In two parts, one after the other, and at once without sums.
        for part in [from, middle] {
            adamUpdate(
                sampleConstants, rows: part, width: width, gradient: gradient, parameters: a.0, first: a.1, second: a.2,
                places: (parameters: 40, moments: 7), sums: &sums)
            for (place, row) in part.enumerated() {
                let values = (Int(row) * width)..<((Int(row) + 1) * width)
                let found = gradient.ids.firstIndex(of: row).map { gradient.row($0) }
                let alone = summedAdamUpdate(
                    sampleConstants, gradient: found, parameters: b.0[values], first: b.1[values], second: b.2[values],
                    places: (parameters: 40 + values.lowerBound, moments: 7 + values.lowerBound))
                #expect(sums?[place] == alone, "row \(row)")
            }
            #expect(sums?.count == part.count)
        }
        adamUpdate(
            sampleConstants, rows: list[...], width: width, gradient: withGradient.isEmpty ? nil : gradient,
            parameters: c.0, first: c.1,
            second: c.2, places: (parameters: 40, moments: 7), sums: &none)
        for other in [b, c] {
            #expect(a.0.array == other.0.array && a.1.array == other.1.array && a.2.array == other.2.array)
        }
        // Rows that are not in the list stay as they were.
        #expect(a.0[(7 * width)..<(8 * width)].array == values(9 * width)[(7 * width)..<(8 * width)].array)
    }
}
