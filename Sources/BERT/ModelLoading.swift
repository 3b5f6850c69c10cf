package import Checkpoints
package import Tensors

/// A model's weights as read from a folder, with what was found there.
package struct LoadedWeights: Sendable {
    /// (layout.count).
    package let parameters: FloatBuffer
    /// Parameters that the folder does not hold and that were newly initialized.
    package let initialized: [String]
    /// Tensors of the folder that the model has no place for.
    package let unexpected: [String]
}

extension BERTModel {
    /// Reads the weights of a Hugging Face folder.
    ///
    /// Names are taken with and without the `bert.` prefix, and layer norms as `gamma` and `beta` too. What a head lacks is
    /// drawn from a normal distribution; what the encoder lacks is an error.
    /// - Parameters:
    ///   - keepsHead: whether the folder's head serves the target task; otherwise it is initialized anew.
    ///   - seed: key of the generator for new weights.
    package func load(_ folder: ModelFolder, keepsHead: Bool, seed: UInt64) throws(FileError) -> LoadedWeights {
        // All shapes first: a config.json that promises more than the files hold must not cost memory.
        let sources = try sources(folder, keepsHead: keepsHead)
        let parameters = FloatBuffer(count: layout.count)
        var initialized: [String] = []
        for (place, (entry, source)) in zip(layout.entries, sources).enumerated() {
            guard let source else {
                initialize(entry, place: place, parameters, seed: seed)
                initialized.append(entry.name)
                continue
            }
            var failure: FileError?
            parameters.view[entry.range].withMutableSpan { values in
                do throws(FileError) { try folder.readFloats(source, into: &values) } catch { failure = error }
            }
            if let failure { throw failure }
        }
        let used = Set(layout.entries.compactMap { entry in Self.names(of: entry.name).first { folder.tensor($0) != nil } })
        let ignored: Set<String> = ["cls.predictions.decoder.weight", "cls.predictions.decoder.bias"]
        let unexpected = folder.tensors.map(\.name).filter { !used.contains($0) && !ignored.contains($0) && !$0.hasSuffix("position_ids") }
        return LoadedWeights(parameters: parameters, initialized: initialized, unexpected: unexpected)
    }

    /// The name under which the folder holds each parameter, nil for those to be newly initialized.
    private func sources(_ folder: ModelFolder, keepsHead: Bool) throws(FileError) -> [String?] {
        var sources: [String?] = []
        for entry in layout.entries {
            let found = Self.names(of: entry.name).lazy.compactMap { folder.tensor($0) }.first
            if let found, keepsHead || !Self.isHead(entry.name) {
                guard found.shape == entry.shape else {
                    throw FileError(
                        folder.path,
                        "tensor \(found.name) has shape \(found.shape), config.json asks for \(entry.shape): do the two belong together?")
                }
                sources.append(found.name)
            } else {
                guard Self.isHead(entry.name) || entry.name.hasPrefix("bert.pooler.") else {
                    throw FileError(
                        folder.path,
                        "has no tensor \(entry.name), which its config.json asks for: do the two belong together, and is this a BERT?")
                }
                sources.append(nil)
            }
        }
        return sources
    }

    /// New weights for every parameter, for training from scratch.
    package func initialized(seed: UInt64) -> FloatBuffer {
        let parameters = FloatBuffer(count: layout.count)
        for (place, entry) in layout.entries.enumerated() { initialize(entry, place: place, parameters, seed: seed) }
        return parameters
    }

    private func initialize(_ entry: ParameterLayout.Entry, place: Int, _ parameters: FloatBuffer, seed: UInt64) {
        let values = parameters.view[entry.range]
        if entry.name.hasSuffix("LayerNorm.weight") {
            values.fill(1)
        } else if entry.name.hasSuffix("bias") {
            values.fill(0)
        } else {
            var normal = KeyedNormal(key: seed, stream: UInt32(place))
            for index in 0..<values.count { values[index] = Float(normal.next() * shape.initializerRange) }
        }
    }

    /// Names under which a folder may hold a parameter.
    private static func names(of name: String) -> [String] {
        let plain = name.hasPrefix("bert.") ? [name, String(name.dropFirst(5))] : [name]
        guard name.contains("LayerNorm.") else { return plain + (name == "cls.predictions.bias" ? ["cls.predictions.decoder.bias"] : []) }
        return plain + plain.map { $0.replacing("LayerNorm.weight", with: "LayerNorm.gamma").replacing("LayerNorm.bias", with: "LayerNorm.beta") }
    }
}
