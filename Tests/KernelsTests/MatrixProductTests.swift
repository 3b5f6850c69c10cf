import Kernels
import Tensors
import Testing

@Suite struct MatrixProductTests {
    @Test(arguments: [(1, 1, 1), (3, 5, 2), (17, 33, 48), (27, 27, 32), (1, 40, 7)])
    func productsOfEveryOrientationMatchTheirDefinition(m: Int, n: Int, k: Int) {
        var random = FixedSequence(UInt64(m * n + k))
        let (a, b) = (random.floats(m * k), random.floats(k * n))
        var expected = [Double](repeating: 0, count: m * n)
        for i in 0..<m {
            for j in 0..<n { for l in 0..<k { expected[i * n + j] += Double(a[i * k + l]) * Double(b[l * n + j]) } }
        }
        func transposed(_ x: [Float], _ rows: Int, _ columns: Int) -> [Float] {
            (0..<columns).flatMap { c in (0..<rows).map { x[$0 * columns + c] } }
        }
        for left in [Orientation.plain, .transposed] {
            for right in [Orientation.plain, .transposed] {
                let x =
                    left == .plain ? matrix(a, rows: m, columns: k) : matrix(transposed(a, m, k), rows: k, columns: m)
                let y =
                    right == .plain ? matrix(b, rows: k, columns: n) : matrix(transposed(b, k, n), rows: n, columns: k)
                let c = matrix([Float](repeating: .nan, count: m * n), rows: m, columns: n)
                multiply(x, left, y, right, into: c)
                #expect(largestDifference(c.elements.array, expected) < 1e-5)
                multiply(x, left, y, right, into: c, accumulate: true)
                #expect(largestDifference(c.elements.array, expected.map { 2 * $0 }) < 2e-5)
            }
        }
    }

    @Test(arguments: [(425, 384, 384), (27, 27, 32), (384, 1_536, 425)])
    func bitsDoNotDependOnAlignment(m: Int, n: Int, k: Int) {
        var random = FixedSequence(3)
        let (a, b) = (random.floats(m * k), random.floats(k * n))
        func product(shift: Int) -> [UInt32] {
            let x = view([Float](repeating: 0, count: shift) + a)[shift..<(shift + a.count)]
            let y = view([Float](repeating: 0, count: shift + 1) + b)[(shift + 1)..<(shift + 1 + b.count)]
            let c = view([Float](repeating: 0, count: m * n + shift))[shift..<(m * n + shift)]
            multiply(
                Matrix(x, rows: m, columns: k), .plain, Matrix(y, rows: k, columns: n), .plain,
                into: Matrix(c, rows: m, columns: n))
            return bits(c.array)
        }
        let expected = product(shift: 0)
        for shift in [1, 3, 7, 15] { #expect(product(shift: shift) == expected) }
    }
}
