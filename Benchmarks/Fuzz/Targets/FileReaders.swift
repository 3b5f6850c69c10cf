internal import Checkpoints
internal import Cluster
internal import Files
internal import Hub
internal import TextData
internal import TorchFiles
internal import Transport

/// Readers of files that others write.
enum FileReaders {
    /// What is read is what its own text says.
    static func json(_ input: [UInt8]) -> Bool {
        guard let value = try? JSONValue(parsing: input) else { return false }
        let again = try? JSONValue(parsing: Array(value.line.utf8))
        precondition(again == value, "\(value.line.prefix(200))")
        return true
    }

    /// Tensors lie in the file, one after another, and are as long as their shape.
    static func safetensors(_ input: [UInt8]) -> Bool {
        guard let end = try? SafetensorsHeader.end(of: input.prefix(8), fileSize: input.count) else { return false }
        precondition(end >= 8 && end <= input.count)
        guard let header = try? SafetensorsHeader(parsing: Array(input[8..<end]), fileSize: input.count) else {
            return false
        }
        var place = end
        for tensor in header.tensors {
            precondition(tensor.range.lowerBound == place && tensor.range.upperBound <= input.count)
            precondition(tensor.count * tensor.type.bits == tensor.range.count * 8)
            place = tensor.range.upperBound
        }
        precondition(place == input.count)
        return true
    }

    /// Each tensor has the bytes of its shape.
    static func torch(_ input: [UInt8]) -> Bool {
        guard let file = try? TorchFile(ByteSource(input)) else { return false }
        for tensor in file.tensors {
            var count = 0
            file.forEachPiece(of: tensor) { count += $0.count }
            precondition(count == tensor.byteCount, "\(count) bytes of \(tensor.byteCount)")
        }
        return true
    }

    static func keys(_ input: [UInt8]) -> Bool {
        guard let ring = KeyRing(text: String(decoding: input, as: UTF8.self)) else { return false }
        let again = KeyRing(text: ring.text)
        precondition(
            again?.own.publicKey == ring.own.publicKey && again?.coordinator == ring.coordinator
                && again?.workers == ring.workers)
        return true
    }

    static func cluster(_ input: [UInt8]) -> Bool {
        do {
            let file = try ClusterFile.parse(String(decoding: input, as: UTF8.self), file: "cluster.yaml")
            precondition(file.hosts.allSatisfy { !$0.address.isEmpty && $0.workers >= 1 })
            return true
        } catch {
            precondition(!error.description.contains("\n"), "\(error)")
            return false
        }
    }

    /// The head of a hub's answer is the same in one chunk and in two, and the rest is the end of the input.
    static func answer(_ input: [UInt8]) -> Bool {
        var (whole, parts) = (ResponseHeadReader(), ResponseHeadReader())
        let step = whole.take(input)
        var begun = parts.take(Array(input.prefix(input.count / 2)))
        if case .more = begun { begun = parts.take(Array(input.suffix(input.count - input.count / 2))) }
        guard case .head(let head, let rest) = step, case .head(let again, _) = begun else {
            precondition(step == begun)
            return false
        }
        precondition(head == again && input.suffix(rest.count).elementsEqual(rest))
        precondition((head.length ?? 0) >= 0 && (head.retryAfter ?? 0) >= 0 && (head.range?.start ?? 0) >= 0)
        _ = head["x-linked-etag"].flatMap { BlobHash(tag: $0) }
        return true
    }

    /// A tokenizer that is taken can be used.
    static func tokenizer(_ input: [UInt8]) -> Bool {
        guard let tokenizer = try? WordPieceTokenizer(tokenizerJSON: input) else { return false }
        let encoding = tokenizer.encode("Hello world é<e>", pair: "x", maxLength: 7)
        precondition(encoding.ids.count <= 7 && encoding.ids.allSatisfy { $0 >= 0 && $0 < tokenizer.vocabulary.count })
        return true
    }
}
