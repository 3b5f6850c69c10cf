package import Checkpoints
package import Files
internal import Foundation
package import Tensors

/// A model's weights as read from a folder, with a record of what was missing and left over.
package struct LoadedWeights: Sendable {
    /// (layout.count).
    package let parameters: FloatBuffer
    /// Parameters that the folder lacks and that were newly initialized.
    package let initialized: [String]
    /// Tensors of the folder that the model does not use.
    package let unexpected: [String]
}

extension BERTModel {
    /// Reads the weights of a Hugging Face folder.
    ///
    /// Names are taken with and without the `bert.` prefix, and layer norms as `gamma` and `beta` too. A head's missing
    /// tensors are drawn from a normal distribution; one missing in the encoder is an error.
    /// - Parameters:
    ///   - keepsHead: whether the folder's head serves the target task; otherwise it is newly initialized.
    ///   - seed: key of the generator for new weights.
    ///   - growing: whether tables of words and positions may have more rows than the folder's; the rest of them are 0.
    ///   - forgetting: whether a parameter is newly initialized although the folder has it.
    ///   - trained: sizes of gradient and optimizer state; nil if nothing is trained.
    /// - Throws: ``FileError``; if the model is larger than this machine's memory, before any allocation.
    package func load(
        _ folder: ModelFolder, keepsHead: Bool, seed: UInt64, forgetting: (String) -> Bool = { _ in false },
        growing: Bool = false,
        forTrainingOf trained: ParameterLayout? = nil
    ) throws(FileError) -> LoadedWeights {
        let sources = try sources(in: folder, keepsHead: keepsHead, growing: growing)
        try needMemory(folder, forTrainingOf: trained)
        let parameters = FloatBuffer(count: layout.count, whole: layout.count)
        var initialized: [String] = []
        for (place, entry) in layout.entries.enumerated() {
            guard let source = sources.tensors[place], !forgetting(entry.name) else {
                initialize(entry, place: place, parameters, seed: seed)
                initialized.append(entry.name)
                continue
            }
            var failure: FileError?
            parameters.view.part(from: entry.offset, count: source.count).withMutableSpan { values in
                do throws(FileError) {
                    try folder.readFloats(source.name, into: &values)
                    try Self.needFinite(values.span, source.name, folder)
                } catch { failure = error }
            }
            if let failure { throw failure }
        }
        try needTiedDecoder(folder, sources.tensors, parameters, initialized)
        return LoadedWeights(parameters: parameters, initialized: initialized, unexpected: sources.unexpected)
    }

    /// Refuses a folder whose masked-LM head is taken and has a decoder of its own.
    private func needTiedDecoder(
        _ folder: ModelFolder, _ sources: [TensorEntry?], _ parameters: FloatBuffer, _ initialized: [String]
    ) throws(FileError) {
        let takesHead = zip(layout.entries, sources).contains { entry, source in
            source != nil && entry.name.hasSuffix("cls.predictions.transform.dense.weight")
                && !initialized.contains(entry.name)
        }
        guard takesHead, let words = sources[places.wordEmbeddings] else { return }
        let table = parameters.view.part(from: layout.entries[places.wordEmbeddings].offset, count: words.count)
        var failure: FileError?
        table.withSpan { values in
            do throws(FileError) { try TiedDecoder.check(folder, words: words, values) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Refuses a tensor with a value that is not a finite number.
    private static func needFinite(_ values: Span<Float>, _ name: String, _ folder: ModelFolder) throws(FileError) {
        let exponent: UInt32 = 0x7F80_0000
        // Without a branch, so that the compiler uses vectors.
        var count: UInt32 = 0
        for place in values.indices { count &+= values[place].bitPattern & exponent == exponent ? 1 : 0 }
        guard count > 0 else { return }
        throw FileError(
            folder.path,
            "tensor \(name) has \(count) of \(values.count) values that are not finite numbers, expected none: "
                + "download the model again, or choose another one")
    }

    /// Refuses a model that does not fit this machine's memory.
    private func needMemory(_ folder: ModelFolder, forTrainingOf trained: ParameterLayout?) throws(FileError) {
        let values = layout.count + (trained.map { $0.denseCount + 2 * $0.stateCount } ?? 0)
        let (needed, present) = (
            Double(values) * Double(MemoryLayout<Float>.stride), Double(ProcessInfo.processInfo.physicalMemory)
        )
        guard needed > present else { return }
        func gigabytes(_ bytes: Double) -> Int { Int((bytes / 1e9).rounded(.up)) }
        throw FileError(
            folder.path,
            "\(trained != nil ? "weights, gradient and optimizer state" : "the weights") need \(gigabytes(needed)) "
                + "GB, this machine has \(gigabytes(present)) GB: "
                + "choose a smaller model, or lower what makes it larger: --lora-rank, --max-length")
    }

    /// For each parameter, the tensor it is read from, nil if it is newly initialized; and the tensors left over.
    private func sources(
        in folder: ModelFolder, keepsHead: Bool, growing: Bool
    ) throws(FileError) -> (tensors: [TensorEntry?], unexpected: [String]) {
        var tensors: [TensorEntry?] = []
        var used: Set<String> = [TiedDecoder.weight, TiedDecoder.bias]
        for entry in layout.entries {
            let found = Self.names(of: entry.name).compactMap { folder.tensor($0) }.first
            if let found { used.insert(found.name) }
            if found?.name == TiedDecoder.bias { used.insert(TiedDecoder.headBias) }
            let isHead = Self.isHead(entry.name)
            guard let found, keepsHead || !isHead || Self.isSourceHead(entry.name) else {
                guard isHead || entry.name.hasPrefix("bert.pooler.") || LoRA.isAdapter(entry.name) else {
                    throw FileError(
                        folder.path, "has no tensor \(entry.name), which the encoder needs: is this a BERT?")
                }
                tensors.append(nil)
                continue
            }
            guard found.shape == entry.shape || (growing && Self.isGrown(found.shape, entry)) else {
                throw FileError(
                    folder.path,
                    "tensor \(found.name) has shape \(found.shape), config.json asks for \(entry.shape): do the two "
                        + "belong together?"
                )
            }
            tensors.append(found)
        }
        return (tensors, folder.tensors.map(\.name).filter { !used.contains($0) && !$0.hasSuffix("position_ids") })
    }

    /// Whether an entry is a folder's table of words or positions with more rows.
    private static func isGrown(_ found: [Int], _ entry: ParameterLayout.Entry) -> Bool {
        let grows = [
            "bert.embeddings.word_embeddings.weight", "bert.embeddings.position_embeddings.weight",
            TiedDecoder.headBias,
        ]
        return grows.contains(entry.name) && found.count == entry.shape.count && found[0] < entry.shape[0]
            && found.dropFirst() == entry.shape.dropFirst()
    }

    /// Gives rows that the source's word table lacks the mean of other rows of it.
    package func setWords(_ words: [(row: Int, mean: [Int32])], in parameters: FloatBuffer) {
        let table = Weights(layout: layout, values: parameters.view).matrix(places.wordEmbeddings)
        for (row, pieces) in words {
            for column in 0..<shape.width {
                let sum = pieces.reduce(0.0) { $0 + Double(table[Int($1), column]) }
                table.elements[row * shape.width + column] = Float(sum / Double(max(1, pieces.count)))
            }
        }
    }

    /// Fills positions beyond the source's `count` with the source's rows again, from the first on.
    package func repeatPositions(beyond count: Int, in parameters: FloatBuffer) {
        let table = Weights(layout: layout, values: parameters.view).matrix(places.positionEmbeddings)
        for row in count..<max(count, shape.positions) {
            table.rows(row..<(row + 1)).elements.copy(from: table.rows((row % count)..<(row % count + 1)).elements)
        }
    }

    /// New weights for every parameter, for training from scratch.
    package func initialized(seed: UInt64) -> FloatBuffer {
        let parameters = FloatBuffer(count: layout.count, whole: layout.count)
        for (place, entry) in layout.entries.enumerated() { initialize(entry, place: place, parameters, seed: seed) }
        return parameters
    }

    private func initialize(_ entry: ParameterLayout.Entry, place: Int, _ parameters: FloatBuffer, seed: UInt64) {
        let values = parameters.view[entry.range]
        if entry.name.hasSuffix("LayerNorm.weight") {
            values.fill(1)
        } else if entry.name.hasSuffix("lora_A.weight") {
            var uniform = KeyedUniform(key: seed, stream: UInt32(place))
            let bound = 1 / Double(entry.shape[1]).squareRoot()
            for index in 0..<values.count { values[index] = Float(uniform.next() * bound) }
        } else if entry.name.hasSuffix("bias") || entry.name.hasSuffix("lora_B.weight") {
            values.fill(0)
        } else {
            var normal = KeyedNormal(key: seed, stream: UInt32(place))
            for index in 0..<values.count { values[index] = Float(normal.next() * shape.initializerRange) }
        }
    }

    /// Names under which a folder may hold a parameter.
    ///
    /// A source task's masked-LM head starts from the folder's; its other heads are new.
    private static func names(of name: String) -> [String] {
        if isSourceHead(name) {
            return name.hasPrefix("source.cls.") ? names(of: String(name.dropFirst("source.".count))) : []
        }
        let plain = name.hasPrefix("bert.") ? [name, String(name.dropFirst(5))] : [name]
        guard name.contains("LayerNorm.") else {
            return name == TiedDecoder.headBias ? [TiedDecoder.bias, name] : plain
        }
        return plain
            + plain.map {
                $0.replacing("LayerNorm.weight", with: "LayerNorm.gamma").replacing(
                    "LayerNorm.bias", with: "LayerNorm.beta")
            }
    }
}
