/// The tensors of a file of `torch.save`, checked against its storages; see ``StoredZip`` and ``PickleReader``.
package struct TorchFile {
    /// A tensor as a view of a storage.
    package struct Tensor {
        package let name: String
        package let type: TorchType
        package let shape: [Int]
        /// Elements from one index to the next in each dimension.
        let strides: [Int]
        /// Of the first element in the file.
        let start: Int

        package var count: Int { shape.reduce(1, *) }
        package var byteCount: Int { count * type.bytes }
    }

    private let source: ByteSource
    /// As safetensors' own writer orders them: by type, then by the bytes of the name.
    package let tensors: [Tensor]

    private static let mostTensors = 100_000
    private static let deepest = 8

    package init(_ source: ByteSource) throws(TorchFileError) {
        guard source.count >= 4, source.bytes(0..<4) == [0x50, 0x4B, 3, 4] else {
            throw TorchFileError(
                "is not a zip archive as torch.save writes since PyTorch 1.6: save it again, if you trust it"
            )
        }
        let archive = try StoredZip(source)
        let pickles = archive.entries.keys.filter { $0.hasSuffix("/data.pkl") }
        guard pickles.count == 1, let name = pickles.first, let range = archive.entries[name] else {
            throw TorchFileError("has \(pickles.count) entries data.pkl, expected one: is it a file of torch.save?")
        }
        let prefix = String(name.dropLast("data.pkl".count))
        if let order = archive.entries[prefix + "byteorder"], source.bytes(order) != Array("little".utf8) {
            throw TorchFileError("was saved on a big-endian machine: save it again on another")
        }
        guard range.count <= PickleReader.longest else {
            throw TorchFileError("its pickle has \(range.count) bytes, at most \(PickleReader.longest) are read")
        }
        var reader = PickleReader(source.bytes(range))
        let root = try reader.value()
        var named = try Self.named(root, reader)
        guard !named.isEmpty else { throw TorchFileError("has no tensors: is it a file of weights?") }
        named.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        var (tensors, total) = ([Tensor](), 0)
        for (index, entry) in named.enumerated() {
            guard index == 0 || named[index - 1].name != entry.name else {
                throw TorchFileError("has two tensors \(StoredZip.shown(entry.name)): save it again")
            }
            let tensor = try Self.checked(entry.name, reader.tensors[entry.tensor], archive, prefix)
            total += tensor.byteCount
            // Tied weights are written twice; a view that repeats elements could be of any size.
            guard total <= 16 * source.count else {
                throw TorchFileError("its tensors have over 16 times the file's bytes: do not use this file")
            }
            tensors.append(tensor)
        }
        let order = TorchType.allCases
        self.tensors = order.flatMap { type in tensors.filter { $0.type == type } }
        self.source = source
    }

    /// The tensors of a dictionary by their names; those of inner dictionaries have both names with a dot between.
    ///
    /// If a file has no tensor itself and one dictionary of tensors, as checkpoints of trainers do, that one is meant.
    private static func named(_ root: PickleReader.Value, _ reader: PickleReader) throws(TorchFileError) -> [(
        name: String, tensor: Int
    )] {
        var (found, steps) = ([(name: String, tensor: Int)](), 0)
        func visit(_ value: PickleReader.Value, _ prefix: String, _ depth: Int) throws(TorchFileError) {
            guard case .container(let index) = value, case .dictionary(let members) = reader.containers[index] else {
                return
            }
            guard depth < deepest else { throw TorchFileError("dictionaries are nested over \(deepest) deep") }
            for (key, value) in members {
                steps += 1
                guard steps <= 10 * mostTensors, found.count <= mostTensors else {
                    throw TorchFileError("has over \(mostTensors) tensors: do not use this file")
                }
                guard case .text(let name) = key, prefix.utf8.count + name.utf8.count < 2_000 else { continue }
                if case .tensor(let tensor) = value { found.append((prefix + name, tensor)) }
                try visit(value, "\(prefix)\(name).", depth + 1)
            }
        }
        guard case .container(let index) = root, case .dictionary(let members) = reader.containers[index] else {
            throw TorchFileError("does not hold a dictionary of tensors: save model.state_dict()")
        }
        let isBare = members.contains { if case .tensor = $0.value { true } else { false } }
        guard !isBare else {
            try visit(root, "", 0)
            return found
        }
        var inner: [[(name: String, tensor: Int)]] = []
        for (_, value) in members {
            found = []
            try visit(value, "", 1)
            if !found.isEmpty { inner.append(found) }
        }
        if inner.count == 1 { return inner[0] }
        found = []
        try visit(root, "", 0)
        return found
    }

    private static func checked(
        _ name: String, _ tensor: PickleReader.Tensor, _ archive: StoredZip, _ prefix: String
    ) throws(TorchFileError) -> Tensor {
        let storage = tensor.storage
        guard let range = archive.entries["\(prefix)data/\(storage.key)"] else {
            throw TorchFileError("lacks the data of \(StoredZip.shown(name)): download the file again")
        }
        let (size, isTooLarge) = storage.count.multipliedReportingOverflow(by: storage.type.bytes)
        guard !isTooLarge, size == range.count else {
            throw TorchFileError(
                "has \(range.count) bytes for \(StoredZip.shown(name)), its description says "
                    + "\(isTooLarge ? "more than any file has" : "\(size)"): download the file again")
        }
        func outside() -> TorchFileError {
            TorchFileError("\(StoredZip.shown(name)) reaches beyond its data: do not use this file")
        }
        var (count, last) = (1, tensor.offset)
        for (length, stride) in zip(tensor.shape, tensor.strides) {
            let (product, isTooLong) = count.multipliedReportingOverflow(by: length)
            let (span, isTooWide) = max(0, length - 1).multipliedReportingOverflow(by: stride)
            let (sum, isTooFar) = last.addingReportingOverflow(span)
            guard !isTooLong, !isTooWide, !isTooFar, product < 1 << 48 else { throw outside() }
            (count, last) = (product, sum)
        }
        guard count == 0 || last < storage.count else { throw outside() }
        return Tensor(
            name: name, type: storage.type, shape: tensor.shape, strides: tensor.strides,
            start: range.lowerBound + (count == 0 ? 0 : tensor.offset * storage.type.bytes))
    }

    /// A tensor's elements, row after row, some at a time.
    package func forEachPiece<Failure: Error>(of tensor: Tensor, _ body: ([UInt8]) throws(Failure) -> Void)
        throws(Failure)
    {
        let width = tensor.type.bytes
        guard tensor.count > 0 else { return }
        // The innermost dimensions that lie one element after the other.
        var (run, outer) = (1, tensor.shape.count)
        while outer > 0, tensor.strides[outer - 1] == run || tensor.shape[outer - 1] == 1 {
            run *= tensor.shape[outer - 1]
            outer -= 1
        }
        let most = (1 << 20) / width
        var index = [Int](repeating: 0, count: outer)
        var pending: [UInt8] = []
        while true {
            let element = zip(index, tensor.strides).reduce(0) { $0 + $1.0 * $1.1 }
            for begin in stride(from: 0, to: run, by: most) {
                let start = tensor.start + (element + begin) * width
                pending += source.bytes(start..<(start + min(most, run - begin) * width))
                if pending.count >= 1 << 20 {
                    try body(pending)
                    pending = []
                }
            }
            var place = outer - 1
            while place >= 0 {
                index[place] += 1
                if index[place] < tensor.shape[place] { break }
                index[place] = 0
                place -= 1
            }
            if place < 0 { break }
        }
        if !pending.isEmpty { try body(pending) }
    }
}
