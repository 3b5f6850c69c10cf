import Foundation
import Kernels
import Testing

/// Functions of one number: right, and with the bits that every processor has to give.
@Suite struct ScalarMathTests {
    /// FNV-1a over the results' bytes.
    private func hash(_ values: [Double]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for value in values {
            for byte in 0..<8 { hash = (hash ^ (value.bitPattern >> (8 * UInt64(byte)) & 0xff)) &* 0x100_0000_01b3 }
        }
        return String(hash, radix: 16)
    }

    /// From -1 to 1, the same ones everywhere.
    private let arguments: [Double] = {
        var random = FixedSequence(7)
        return (0..<10_000).map { _ in Double(Int64(bitPattern: random.next()) >> 11) * 0x1p-52 }
    }()

    @Test func `ten thousand results have the recorded bits`() {
        #expect(hash(arguments.map { exponential($0 * 750) }) == "e4395bfc47421081")
        #expect(hash(arguments.map { naturalLogarithm(abs($0) * 1e3 + 1e-300) }) == "48c4d09fdeb2cd14")
        #expect(hash(arguments.indices.map { power(1 - abs(arguments[$0]) * 0.01, $0 * 7) }) == "8751c3ad270709f7")
        #expect(hash(arguments.map { cosineOfPi($0 * 5) }) == "e9af23fd50f5a57b")
    }

    @Test func `results are near those of the C library`() {
        for x in arguments {
            let power = x * 700
            #expect(abs(exponential(power) / exp(power) - 1) < 1e-15, "exp \(power)")
            let positive = abs(x) * 1e3 + 1e-9
            #expect(abs(naturalLogarithm(positive) - log(positive)) < 1e-14, "log \(positive)")
            #expect(abs(cosineOfPi(x * 2) - cos(Double.pi * x * 2)) < 2e-15, "cos \(x * 2)")
        }
        for n in [0, 1, 2, 3, 10, 999, 20_000] {
            #expect(abs(Kernels.power(0.999, n) / pow(0.999, Double(n)) - 1) < 1e-12, "\(n)")
        }
    }

    @Test func `the ends of the ranges are met`() {
        #expect(
            exponential(0) == 1 && exponential(-.infinity) == 0 && exponential(.infinity) == .infinity
                && exponential(.nan).isNaN)
        #expect(
            exponential(-745) == .leastNonzeroMagnitude && exponential(-746) == 0 && exponential(709.7).isFinite
                && exponential(710) == .infinity)
        #expect(
            cosineOfPi(0) == 1 && cosineOfPi(0.5) == 0 && cosineOfPi(1) == -1 && cosineOfPi(1.5) == 0
                && cosineOfPi(1e300) == 1)
        #expect(cosineOfPi(.infinity).isNaN && cosineOfPi(.nan).isNaN)
        #expect(power(0, 0) == 1 && power(3, 5) == 243 && power(0.5, 2_000) == 0)
        #expect(naturalLogarithm(1) == 0 && naturalLogarithm(.infinity) == .infinity)
    }
}
