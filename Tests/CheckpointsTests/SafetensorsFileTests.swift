import Foundation
import Testing

@testable import Checkpoints
@testable import Files

@Suite struct SafetensorsFileTests {
    private func file(_ type: String, _ data: [UInt8], count: Int) throws -> SafetensorsFile {
        let folder = try TemporaryFolder()
        let header = "{\"a\":{\"dtype\":\"\(type)\",\"shape\":[\(count)],\"data_offsets\":[0,\(data.count)]}}"
        return try SafetensorsFile(folder.write(safetensors(header) + data, to: "a.safetensors"))
    }

    private func littleEndian<Value: FixedWidthInteger>(_ values: [Value]) -> [UInt8] {
        values.flatMap { value in (0..<(Value.bitWidth / 8)).map { UInt8(truncatingIfNeeded: value >> Value($0 * 8)) } }
    }

    @Test func widensEveryHalf() {
        for bits in UInt16.min...UInt16.max {
            let (exponent, fraction) = (Int(bits >> 10 & 0x1F), Float(bits & 0x3FF))
            let value = SafetensorsFile.widen(half: bits)
            #expect((value.sign == .minus) == (bits & 0x8000 != 0))
            switch exponent {
            case 31 where fraction == 0: #expect(value.isInfinite)
            case 31: #expect(value.isNaN)
            case 0: #expect(value.magnitude == fraction * 0x1p-24)
            default:
                #expect(
                    value.magnitude == Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024))
            }
        }
    }

    @Test func readsFloatsOfEveryWidth() throws {
        #expect(
            try file("F16", littleEndian([0x3C00, 0xC000, 0x0001, 0x7BFF] as [UInt16]), count: 4).floats("a") == [
                1, -2, 0x1p-24, 65504,
            ])
        #expect(
            try file("BF16", littleEndian([0x3F80, 0xC000, 0x4049] as [UInt16]), count: 3).floats("a") == [
                1, -2, 3.140625,
            ])
        let doubles = [1.5, -0.1, 1e300].map(\.bitPattern)
        #expect(try file("F64", littleEndian(doubles), count: 3).floats("a") == [1.5, -0.1, .infinity])
        let floats = [Float.pi, -0, .leastNonzeroMagnitude].map(\.bitPattern)
        #expect(try file("F32", littleEndian(floats), count: 3).floats("a").map(\.bitPattern) == floats)
        let other = try file("F32", littleEndian(floats), count: 3)
        #expect(try other.floats("a", count: 3).count == 3)
        #expect(throws: FileError.self) { try other.floats("a", count: 2) }
    }

    @Test func readsIntegersAndRefusesThemAsFloats() throws {
        let file = try file("I64", littleEndian([-1, .max, 0] as [Int64]), count: 3)
        #expect(try file.readIntegers("a") == [-1, .max, 0])
        #expect(throws: FileError(file.path, "tensor a is of type I64, expected floats: convert the model to float32"))
        { try file.floats("a") }
    }

    @Test func namesTheTensorThatItCannotRead() throws {
        let file = try file("BOOL", [1, 0], count: 2)
        #expect(throws: FileError(file.path, "tensor a is of type BOOL, expected floats: convert the model to float32"))
        { try file.floats("a") }
        #expect(throws: FileError(file.path, "has no tensor b: is this the right file?")) { try file.floats("b") }
        var values: [Float] = [0]
        var span = values.mutableSpan
        do {
            try file.readFloats("a", into: &span)
            Issue.record("one element took two")
        } catch { #expect(error.problem == "tensor a has 2 elements, expected 1: is this the right file?") }
    }

    @Test func readsWhatTheWriterWrote() throws {
        let folder = try TemporaryFolder()
        let tensors = [
            tensor("z", [2, 3]), tensor("a \"b\"\n", [4], from: -7), tensor("none", [0, 2]), tensor("one", []),
        ]
        try SafetensorsWriter.write(tensors, metadata: [("format", "pt"), ("k", "é")], to: folder("a.safetensors"))
        let file = try SafetensorsFile(folder("a.safetensors"))
        #expect(Set(file.tensors.map(\.name)) == ["z", "a \"b\"\n", "none", "one"])
        #expect(try file.floats("z") == [0, 0.5, 1, 1.5, 2, 2.5])
        #expect(try file.floats("a \"b\"\n") == [-7, -6.5, -6, -5.5])
        #expect(try file.floats("none") == [])
        #expect(try file.floats("one") == [0])
        #expect(file.header.metadata == ["format": "pt", "k": "é"])
        #expect(file.tensors.first.map { $0.range.lowerBound % 8 } == 0)
    }

    @Test(arguments: ["classify", "masked-lm", "pairs", "regress"])
    func readsTheReferenceFiles(name: String) throws {
        for kind in ["model", "reference"] {
            let file = try SafetensorsFile("\(goldenFolder)/\(name)/\(kind).safetensors")
            #expect(!file.tensors.isEmpty)
            for tensor in file.tensors where tensor.type == .float32 {
                let isFinite = try file.floats(tensor.name).allSatisfy(\.isFinite)
                #expect(isFinite, "\(tensor.name)")
            }
        }
    }

    @Test func refusesWhatIsNoRegularFile() throws {
        let folder = try TemporaryFolder()
        let pipe = folder("pipe")
        try #require(unsafe mkfifo(pipe, 0o600) == 0)
        for path in [pipe, folder.path] {
            #expect(throws: FileError(path, "is not a regular file: name one, or a folder with one")) {
                try SafetensorsFile(path)
            }
        }
        #expect(
            throws: FileError(
                folder("none"), "cannot be opened (No such file or directory): check the path and the permission")
        ) {
            try SafetensorsFile(folder("none"))
        }
    }
}
