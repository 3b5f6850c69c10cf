internal import Checkpoints
internal import Files
internal import Foundation

/// Converts a file of weights, or a model folder, into a new file or folder.
package struct FolderConversion {
    /// A message for the user, with the path.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// What is to be read, and the name of what is written.
    private let pairs: [(from: String, to: String)]
    private let index: String?
    private let input: String
    private let output: String
    private let isFolder: Bool

    private static let single = "pytorch_model.bin"
    private static let index = "pytorch_model.bin.index.json"
    private static let mostShards = 1_000

    /// - Throws: ``Failure`` if there is nothing to convert, or something where it would be written.
    package init(_ input: String, to output: String) throws(Failure) {
        (self.input, self.output) = (input, output)
        guard !FileManager.default.fileExists(atPath: output), !FileSystem.isLink(output) else {
            throw Failure(
                description: "\(output): exists already: name a new \(FileSystem.isFolder(output) ? "folder" : "file")")
        }
        guard FileManager.default.fileExists(atPath: input) else {
            throw Failure(description: "\(input): there is no such file or folder: check the path")
        }
        isFolder = FileSystem.isFolder(input)
        guard isFolder else {
            guard output.hasSuffix(".safetensors") else {
                throw Failure(description: "\(output): a file of weights becomes a file: name it with .safetensors")
            }
            (pairs, index) = ([(input, output)], nil)
            return
        }
        if FileManager.default.fileExists(atPath: "\(input)/\(Self.single)") {
            (pairs, index) = ([("\(input)/\(Self.single)", "model.safetensors")], nil)
            return
        }
        let path = "\(input)/\(Self.index)"
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(description: "\(input): has no \(Self.single): name a file, or a folder with one")
        }
        index = path
        var names: Set<String> = []
        do {
            let map = try JSONValue(parsing: FileSystem.read(path, limit: ModelFolder.longestJSON))["weight_map"]
            for member in map?.members ?? [] { if let name = member.value.string { names.insert(name) } }
        } catch { throw Failure(description: "\(path): cannot be used (\(error)): download it again") }
        guard !names.isEmpty, names.count <= Self.mostShards else {
            throw Failure(description: "\(path): names \(names.count) files, expected 1 to \(Self.mostShards)")
        }
        var pairs: [(from: String, to: String)] = []
        for name in names.sorted() {
            guard let match = name.wholeMatch(of: /pytorch_model-([0-9]{5}-of-[0-9]{5})\.bin/) else {
                throw Failure(
                    description: "\(path): names the file '\(name.prefix(80))', expected names such as "
                        + "pytorch_model-00001-of-00002.bin: do not use it")
            }
            pairs.append(("\(input)/\(name)", "model-\(match.1).safetensors"))
        }
        self.pairs = pairs
    }

    /// Where everything is written first.
    private var partial: String { output + ".partial" }

    /// Removes what a conversion that ended early left.
    package func removePartial() { try? FileManager.default.removeItem(atPath: partial) }

    /// Converts; nothing is at the output until everything is.
    package func run() throws -> String {
        removePartial()
        do {
            return try isFolder ? convertFolder() : convertFile()
        } catch {
            removePartial()
            throw error
        }
    }

    private func convertFile() throws -> String {
        let file = try Self.open(pairs[0].from)
        try SafetensorsConversion.write(file, to: partial)
        try FileSystem.rename(partial, to: output)
        return said(file.tensors.count)
    }

    private func convertFolder() throws -> String {
        try FileSystem.makeFolder(partial)
        var (map, total, count) = ([JSONValue.Member](), 0, 0)
        for (from, to) in pairs {
            let file = try Self.open(from)
            try SafetensorsConversion.write(file, to: "\(partial)/\(to)")
            for tensor in file.tensors {
                map.append(.init(tensor.name, .string(to)))
                total += tensor.byteCount
            }
            count += file.tensors.count
        }
        if index != nil {
            map.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            let json = JSONValue.object([
                .init("metadata", .object([.init("total_size", .integer(total))])), .init("weight_map", .object(map)),
            ])
            try FileSystem.replace("\(partial)/model.safetensors.index.json", with: Array((json.line + "\n").utf8))
        }
        for name in ["config.json"] + ModelFolder.tokenizerFiles
        where FileManager.default.fileExists(atPath: "\(input)/\(name)") {
            try GitPointer.refuse(try MappedFile("\(input)/\(name)"))
            try FileSystem.replace("\(partial)/\(name)", with: FileSystem.read("\(input)/\(name)", limit: 64 << 20))
        }
        try FileSystem.rename(partial, to: output)
        return said(count)
    }

    private func said(_ count: Int) -> String {
        "\(output): \(count == 1 ? "1 tensor" : "\(count) tensors") of \(input), without running anything in it"
    }

    private static func open(_ path: String) throws -> TorchFile {
        let file = try MappedFile(path)
        try GitPointer.refuse(file)
        do {
            return try TorchFile(ByteSource(file))
        } catch {
            throw Failure(description: "\(path): \(error)")
        }
    }
}
