import Foundation

@testable import TorchFiles

/// A zip archive or pickle that a test builds, rightly or wrongly.
enum BuiltFile {
    struct Entry {
        var name: String
        var bytes: [UInt8]
        var method: UInt16 = 0
        var flags: UInt16 = 0
        /// The size that the directory gives, if another.
        var size: UInt32?
        /// The start that the directory gives, if another.
        var start: UInt32?
        /// The name in its own header, if another.
        var localName: String?
    }

    private static func little(_ value: UInt32, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    static func zip(_ entries: [Entry], count: UInt32? = nil) -> [UInt8] {
        var (file, directory) = ([UInt8](), [UInt8]())
        for entry in entries {
            let start = UInt32(file.count)
            let (local, name) = (Array((entry.localName ?? entry.name).utf8), Array(entry.name.utf8))
            let size = little(entry.size ?? UInt32(entry.bytes.count), 4)
            let shared = little(UInt32(entry.flags), 2) + little(UInt32(entry.method), 2)
            file += [0x50, 0x4B, 3, 4, 0, 0] + shared + [UInt8](repeating: 0, count: 8) + size + size
            file += little(UInt32(local.count), 2) + [0, 0] + local + entry.bytes
            directory += [0x50, 0x4B, 1, 2, 0, 0, 0, 0] + shared + [UInt8](repeating: 0, count: 8) + size + size
            directory += little(UInt32(name.count), 2) + [UInt8](repeating: 0, count: 12)
            directory += little(entry.start ?? start, 4) + name
        }
        let number = little(count ?? UInt32(entries.count), 2)
        let end: [UInt8] =
            [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + number + number + little(UInt32(directory.count), 4)
            + little(UInt32(file.count), 4) + [0, 0]
        return file + directory + end
    }

    /// A file with this pickle and one storage "0" of four bytes.
    static func torch(_ pickle: [UInt8], storage: [UInt8] = [0, 0, 0, 0]) -> [UInt8] {
        zip([Entry(name: "x/data.pkl", bytes: pickle), Entry(name: "x/data/0", bytes: storage)])
    }

    static func text(_ text: String) -> [UInt8] { [0x8C, UInt8(text.utf8.count)] + Array(text.utf8) }
    static func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }

    /// One tensor "a" of a storage of `count` floats.
    static func tensor(count: UInt8 = 1, offset: [UInt8] = [0x4B, 0], shape: [UInt8], strides: [UInt8]) -> [UInt8] {
        let storage =
            Array("(".utf8) + text("storage") + global("torch", "FloatStorage") + text("0") + text("cpu")
            + [0x4B, count] + Array("tQ".utf8)
        let hooks = global("collections", "OrderedDict") + Array(")R".utf8)
        return Array("}".utf8) + text("a") + global("torch._utils", "_rebuild_tensor_v2") + Array("(".utf8) + storage
            + offset + shape + strides + [0x89] + hooks + Array("tRs.".utf8)
    }

    static func tuple(_ numbers: UInt8...) -> [UInt8] {
        Array("(".utf8) + numbers.flatMap { [0x4B, $0] } + Array("t".utf8)
    }
}
