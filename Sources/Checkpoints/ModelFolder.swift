package import Files
internal import Foundation

/// A Hugging Face model folder: its configuration and its weights, in one file or in shards.
package struct ModelFolder: Sendable {
    package let path: String
    package let configuration: JSONValue
    let files: [SafetensorsFile]
    private let places: [String: Int]

    /// A tokenizer's files that are copied with a model.
    package static let tokenizerFiles = [
        "vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    ]

    /// Longest config.json or index in bytes: room for some hundred thousand labels. Parsed JSON takes 20 times its
    /// bytes.
    package static let longestJSON = 8 << 20

    package init(_ path: String) throws(FileError) {
        self.path = path
        var isFolder: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw FileError(path, "does not exist: check --model, or run scripts/fetch.sh for the default one")
        }
        guard isFolder.boolValue else {
            throw FileError(path, "is a file, expected a model folder with config.json and model.safetensors")
        }
        configuration = try Self.configuration(path)
        files = try Self.weightFiles(path)
        var places: [String: Int] = [:]
        for (place, file) in files.enumerated() {
            for tensor in file.tensors where places.updateValue(place, forKey: tensor.name) != nil {
                throw FileError(file.path, "tensor \(tensor.name) is in two files: download the model again")
            }
        }
        self.places = places
    }

    /// Only the configuration of a model folder.
    package static func configuration(_ path: String) throws(FileError) -> JSONValue {
        let file = path + "/config.json"
        guard FileManager.default.fileExists(atPath: file) else {
            throw FileError(path, "has no config.json: expected a Hugging Face model folder")
        }
        do {
            try GitPointer.refuse(try MappedFile(file))
            let value = try JSONValue(parsing: try FileSystem.read(file, limit: longestJSON))
            guard value.members != nil else { throw JSONError(offset: 0, problem: "no object") }
            return value
        } catch let error as JSONError {
            throw FileError(file, "is not a JSON object: \(error): download the model again")
        } catch let error as FileError {
            throw error
        } catch {
            throw FileError(file, "cannot be read")
        }
    }

    private static func weightFiles(_ path: String) throws(FileError) -> [SafetensorsFile] {
        let (single, index) = (path + "/model.safetensors", path + "/model.safetensors.index.json")
        if FileManager.default.fileExists(atPath: single) { return [try SafetensorsFile(single)] }
        guard FileManager.default.fileExists(atPath: index) else {
            let pickled = ["/pytorch_model.bin", "/pytorch_model.bin.index.json"].contains {
                FileManager.default.fileExists(atPath: path + $0)
            }
            throw FileError(
                path,
                pickled
                    ? "holds pytorch_model.bin but no model.safetensors: 'apus convert \(path) NEW-FOLDER' writes it"
                        + ", without running what is in it"
                    : "has no model.safetensors: are the weights downloaded?")
        }
        let map: JSONValue?
        do { map = try JSONValue(parsing: try FileSystem.read(index, limit: longestJSON))["weight_map"] } catch {
            throw FileError(index, "cannot be used: \(error): download the model again")
        }
        guard let members = map?.members, !members.isEmpty else {
            throw FileError(index, "has no weight_map: download the model again")
        }
        if let member = members.first(where: { $0.value.string == nil }) {
            throw FileError(index, "names no file for \(member.key): download the model again")
        }
        let names = Set(members.compactMap(\.value.string)).sorted()
        for name in names where name.contains("/") || name.hasPrefix(".") {
            throw FileError(index, "names the file \(name) outside of the folder: download the model again")
        }
        var files: [SafetensorsFile] = []
        for name in names { files.append(try SafetensorsFile(path + "/" + name)) }
        return files
    }

    /// All tensors, in the order of the files.
    package var tensors: [TensorEntry] { files.flatMap(\.tensors) }

    package func tensor(_ name: String) -> TensorEntry? { places[name].flatMap { files[$0].tensor(name) } }

    /// Copies a tensor's elements into `values`.
    package func readFloats(_ name: String, into values: inout MutableSpan<Float>) throws(FileError) {
        guard let place = places[name] else { throw FileError(path, "has no tensor \(name): is this the right model?") }
        try files[place].readFloats(name, into: &values)
    }
}
