import Checkpoints
import Foundation
import Testing

@testable import TorchFiles

/// Files of `torch.save`: those that PyTorch wrote, and hostile ones.
@Suite struct TorchFilesTests {
    static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/torch")
    static let cases = [
        "plain", "views", "transposed", "types", "empty", "scalar", "nested", "checkpoint", "tied", "parameters",
    ]

    @Test(arguments: cases)
    func `what torch saved becomes what safetensors writes, byte for byte`(name: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let output = folder.appending(path: "out.safetensors")
        let line = try FolderConversion(Self.fixtures.appending(path: "\(name).bin").path, to: output.path).run()
        #expect(line.hasPrefix(output.path))
        let expected = try Data(contentsOf: Self.fixtures.appending(path: "\(name).safetensors"))
        #expect(try Data(contentsOf: output) == expected)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["out.safetensors"])
    }

    private func complaint(_ bytes: [UInt8]) -> String {
        let error = #expect(throws: TorchFileError.self) { _ = try TorchFile(ByteSource(bytes)) }
        #expect(error?.description.contains("\n") != true)
        return error?.description ?? ""
    }

    @Test func `the built file is one that can be read`() throws {
        let pickle = BuiltFile.tensor(shape: BuiltFile.tuple(1), strides: BuiltFile.tuple(1))
        let file = try TorchFile(ByteSource(BuiltFile.torch(pickle)))
        #expect(file.tensors.map(\.name) == ["a"])
        #expect(file.tensors.map(\.shape) == [[1]])
    }

    @Test(arguments: [
        ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("__builtin__", "exec"), ("builtins", "getattr"),
        ("subprocess", "Popen"), ("torch", "load"), ("numpy.core.multiarray", "scalar"), ("collections", "Counter"),
        ("webbrowser", "open"), ("runpy", "_run_code"), ("torch.hub", "load"),
    ])
    func `a name that is not of tensors is refused by itself`(module: String, name: String) {
        let argument = BuiltFile.text("echo")
        let old = BuiltFile.global(module, name) + argument + Array("\u{85}R.".unicodeScalars.map { UInt8($0.value) })
        #expect(complaint(BuiltFile.torch(old)).contains("names \(module).\(name)"))
        let new = BuiltFile.text(module) + BuiltFile.text(name) + [0x93] + argument + [0x85] + Array("R.".utf8)
        #expect(complaint(BuiltFile.torch(new)).contains("names \(module).\(name)"))
    }

    /// INST, OBJ, NEWOBJ, BUILD on a name, EXT1, PERSID, FLOAT, LONG4 and others that Python has.
    @Test(
        arguments: [
            Array("(S'x'\nios\nsystem\n.".utf8), Array("(cos\nsystem\no.".utf8), [0x82, 1, 0x2E], Array("P0\n.".utf8),
            Array("F1.0\n.".utf8), [0x8B, 0xFF, 0xFF, 0xFF, 0x7F, 0x2E], [0x81, 0x2E], [0x92, 0x2E], [0x97, 0x2E],
        ] as [[UInt8]])
    func `instructions that torch does not write are refused`(pickle: [UInt8]) {
        #expect(complaint(BuiltFile.torch(pickle)).hasPrefix("its pickle "))
    }

    @Test func `deep nesting, memo bombs and huge sizes cost nothing`() {
        let deep = [UInt8](repeating: 0x29, count: 1) + [UInt8](repeating: 0x85, count: 1 << 20) + Array(".".utf8)
        #expect(complaint(BuiltFile.torch(deep)).contains("does not hold a dictionary"))
        let marks = [UInt8](repeating: UInt8(ascii: "("), count: 1 << 20)
        #expect(complaint(BuiltFile.torch(marks)).contains("it is cut"))
        // Each dictionary has the one before it twice: 2^40 paths.
        var bomb = Array("}q\u{0}".utf8)
        for _ in 0..<40 {
            bomb += Array("}".utf8) + BuiltFile.text("a") + Array("h\u{0}s".utf8) + BuiltFile.text("b")
            bomb += Array("h\u{0}sq\u{0}".utf8)
        }
        #expect(complaint(BuiltFile.torch(bomb + Array("0".utf8))).hasPrefix("its pickle"))
        #expect(complaint(BuiltFile.torch([0x58, 0xFF, 0xFF, 0xFF, 0x7F, 0x2E])).contains("a text has"))
        #expect(complaint(BuiltFile.torch([0x72, 0xFF, 0xFF, 0xFF, 0xFF, 0x2E])).contains("a value is missing"))
        #expect(complaint(BuiltFile.torch([0x95] + [UInt8](repeating: 0xFF, count: 8))).contains("it is cut"))
    }

    @Test func `a dictionary that holds itself ends`() {
        let pickle = Array("}q\u{0}".utf8) + BuiltFile.text("a") + Array("h\u{0}s.".utf8)
        #expect(complaint(BuiltFile.torch(pickle)).contains("nested over"))
    }

    @Test(arguments: [
        (BuiltFile.tensor(count: 2, shape: BuiltFile.tuple(1), strides: BuiltFile.tuple(1)), "its description says 8"),
        (BuiltFile.tensor(shape: BuiltFile.tuple(2), strides: BuiltFile.tuple(1)), "beyond its data"),
        (
            BuiltFile.tensor(offset: [0x4B, 1], shape: BuiltFile.tuple(1), strides: BuiltFile.tuple(1)),
            "beyond its data"
        ),
        (BuiltFile.tensor(shape: BuiltFile.tuple(1, 1), strides: BuiltFile.tuple(1)), "number of strides"),
        (BuiltFile.tensor(shape: BuiltFile.tuple(255, 255), strides: BuiltFile.tuple(0, 0)), "16 times"),
        (
            BuiltFile.tensor(
                shape: Array("(".utf8) + [0x8A, 8] + [UInt8](repeating: 0xFF, count: 7) + [0x7F]
                    + Array("K\u{9}t".utf8),
                strides: BuiltFile.tuple(0, 0)), "beyond its data"
        ),
        (
            BuiltFile.tensor(offset: Array("J".utf8) + [0xFF, 0xFF, 0xFF, 0xFF], shape: [0x29], strides: [0x29]),
            "without a storage"
        ),
    ])
    func `a tensor that does not fit its storage is refused`(pickle: [UInt8], problem: String) {
        let said = complaint(BuiltFile.torch(pickle))
        #expect(said.contains(problem), "\(said)")
    }

    @Test func `archives that torch does not write are refused`() {
        let pickle = BuiltFile.Entry(
            name: "x/data.pkl", bytes: BuiltFile.tensor(shape: BuiltFile.tuple(1), strides: BuiltFile.tuple(1)))
        let data = BuiltFile.Entry(name: "x/data/0", bytes: [0, 0, 0, 0])
        func said(_ change: (inout BuiltFile.Entry) -> Void) -> String {
            var changed = data
            change(&changed)
            return complaint(BuiltFile.zip([pickle, changed]))
        }
        #expect(said { $0.method = 8 }.contains("is compressed"))
        #expect(said { $0.flags = 1 }.contains("is encrypted"))
        #expect(said { $0.size = 0x7FFF_FFFF }.contains("is cut"))
        #expect(said { $0.start = 0 }.contains("has two names"))
        #expect(said { $0.localName = "x/data/1" }.contains("has two names"))
        #expect(said { $0.name = "y/data.pkl" }.contains("2 entries data.pkl"))
        #expect(complaint(BuiltFile.zip([pickle, data, data])).contains("two entries"))
        var inside = data
        inside.start = 0
        inside.name = pickle.name
        inside.size = UInt32(pickle.bytes.count)
        #expect(complaint(BuiltFile.zip([pickle, inside])).contains("two entries"))
        // The second entry lies within the first one's bytes.
        let inner = BuiltFile.zip([data])
        var outer = BuiltFile.Entry(name: "x/outer", bytes: Array(inner.prefix(42)))
        outer.size = UInt32(outer.bytes.count)
        var hidden = data
        hidden.start = 37
        #expect(complaint(BuiltFile.zip([outer, hidden])).contains("overlap"))
        #expect(complaint(BuiltFile.zip([pickle], count: 2)).contains("cut"))
        #expect(complaint(BuiltFile.zip([pickle, data], count: 1)).contains("too many"))
        #expect(complaint([0x80, 2, 0x2E, 0]).contains("is not a zip archive"))
        #expect(complaint([]).contains("is not a zip archive"))
    }

    @Test func `a file that is cut or changed anywhere is read or refused`() throws {
        for name in ["plain", "parameters", "checkpoint"] {
            let bytes = [UInt8](try Data(contentsOf: Self.fixtures.appending(path: "\(name).bin")))
            for end in stride(from: 0, to: bytes.count, by: 7) { _ = complaint(Array(bytes[..<end])) }
            var refused = 0
            for place in bytes.indices {
                for value in [0, 0xFF, bytes[place] ^ 1, bytes[place] &+ 1] as [UInt8] {
                    var changed = bytes
                    changed[place] = value
                    do throws(TorchFileError) {
                        let file = try TorchFile(ByteSource(changed))
                        for tensor in file.tensors {
                            var count = 0
                            file.forEachPiece(of: tensor) { count += $0.count }
                            #expect(count == tensor.byteCount)
                        }
                    } catch { refused += 1 }
                }
            }
            #expect(refused > bytes.count / 4)
        }
    }
}
