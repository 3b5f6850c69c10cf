/// The entries of a zip file that stores them uncompressed, as `torch.save` writes it.
///
/// Compressed, encrypted, doubled and overlapping entries are refused, and names or sizes that the two headers of an
/// entry give differently. Source: APPNOTE.TXT 6.3, with its 64-bit extension.
package struct StoredZip {
    /// The bytes of each entry in the file, by its name.
    package let entries: [String: Range<Int>]

    private static let mostEntries = 100_000
    private static let longestDirectory = 32 << 20

    /// - Complexity: O(entries log entries); memory in proportion to the directory.
    package init(_ source: ByteSource) throws(TorchFileError) {
        let directory = try Self.directory(source)
        let bytes = source.bytes(directory.range)
        var (entries, taken) = ([String: Range<Int>](), [Range<Int>]())
        var offset = 0
        for _ in 0..<directory.count {
            let entry = try Self.entry(bytes, at: &offset)
            let (whole, data) = try Self.located(entry, source, before: directory.range.lowerBound)
            guard entries.updateValue(data, forKey: entry.name) == nil else {
                throw TorchFileError("the zip archive has two entries \(Self.shown(entry.name)): do not use this file")
            }
            taken.append(whole)
        }
        guard offset == bytes.count else {
            throw TorchFileError(
                "the zip archive's directory has \(bytes.count - offset) bytes too many: do not use it")
        }
        taken.sort { $0.lowerBound < $1.lowerBound }
        for (one, next) in zip(taken, taken.dropFirst()) where one.upperBound > next.lowerBound {
            throw TorchFileError("the zip archive has entries that overlap: do not use this file")
        }
        self.entries = entries
    }

    private static func damaged(_ what: String) -> TorchFileError {
        TorchFileError("the zip archive is damaged (\(what)): download the file again")
    }

    static func shown(_ name: String) -> String { "\"\(name.prefix(60))\"" }

    private static func directory(_ source: ByteSource) throws(TorchFileError) -> (range: Range<Int>, count: Int) {
        let tail = source.bytes(max(0, source.count - 65_557)..<source.count)
        let base = source.count - tail.count
        let end = tail.indices.reversed().first { place in
            tail[place...].starts(with: [0x50, 0x4B, 5, 6])
                && tail.number(at: place + 20, width: 2) == tail.count - place - 22
        }
        guard let end else { throw damaged("it has no end") }
        guard var count = tail.number(at: end + 10, width: 2), var size = tail.number(at: end + 12, width: 4),
            var start = tail.number(at: end + 16, width: 4)
        else { throw damaged("its end is cut") }
        var limit = base + end
        if end >= 20, tail[(end - 20)...].starts(with: [0x50, 0x4B, 6, 7]) {
            guard let place = tail.number(at: end - 12, width: 8), place <= base + end - 20 - 56 else {
                throw damaged("its 64-bit end is not there")
            }
            let record = source.bytes(place..<(place + 56))
            guard record.starts(with: [0x50, 0x4B, 6, 6]), let wideCount = record.number(at: 32, width: 8),
                let wideSize = record.number(at: 40, width: 8), let wideStart = record.number(at: 48, width: 8)
            else { throw damaged("its 64-bit end is wrong") }
            (count, size, start, limit) = (wideCount, wideSize, wideStart, place)
        }
        guard count <= mostEntries, size <= longestDirectory, start <= limit, size <= limit - start else {
            throw damaged("its directory has \(count) entries in \(size) bytes at \(start)")
        }
        return (start..<(start + size), count)
    }

    private struct Entry {
        let name: String
        let size: Int
        let start: Int
    }

    private static func entry(_ bytes: [UInt8], at offset: inout Int) throws(TorchFileError) -> Entry {
        let head = bytes[min(offset, bytes.count)...]
        guard head.starts(with: [0x50, 0x4B, 1, 2]), let flags = head.number(at: 8, width: 2),
            let method = head.number(at: 10, width: 2), var packed = head.number(at: 20, width: 4),
            var size = head.number(at: 24, width: 4), let nameLength = head.number(at: 28, width: 2),
            let extraLength = head.number(at: 30, width: 2), let noteLength = head.number(at: 32, width: 2),
            var start = head.number(at: 42, width: 4), 46 + nameLength + extraLength + noteLength <= head.count
        else { throw damaged("its directory is cut") }
        let nameBytes = head.dropFirst(46).prefix(nameLength)
        guard nameLength <= 512, let name = String(validating: nameBytes, as: UTF8.self) else {
            throw damaged("an entry's name is not a text")
        }
        var extra = Array(head.dropFirst(46 + nameLength).prefix(extraLength))[...]
        while extra.count >= 4, let length = extra.number(at: 2, width: 2), length + 4 <= extra.count {
            if extra.number(at: 0, width: 2) == 1 {
                var place = 4
                func wide() throws(TorchFileError) -> Int {
                    guard place + 8 <= length + 4, let value = extra.number(at: place, width: 8) else {
                        throw damaged("an entry's 64-bit size is not there")
                    }
                    place += 8
                    return value
                }
                if size == 0xFFFF_FFFF { size = try wide() }
                if packed == 0xFFFF_FFFF { packed = try wide() }
                if start == 0xFFFF_FFFF { start = try wide() }
            }
            extra = extra.dropFirst(length + 4)
        }
        guard method == 0, packed == size else {
            throw TorchFileError(
                "the entry \(shown(name)) of the zip archive is compressed, which torch.save does not: save it again "
                    + "with torch.save")
        }
        guard flags & 0x2041 == 0 else {
            throw TorchFileError("the entry \(shown(name)) of the zip archive is encrypted: do not use this file")
        }
        offset += 46 + nameLength + extraLength + noteLength
        return Entry(name: name, size: size, start: start)
    }

    /// The bytes of an entry with its header, and without.
    private static func located(
        _ entry: Entry, _ source: ByteSource, before limit: Int
    ) throws(TorchFileError) -> (whole: Range<Int>, data: Range<Int>) {
        guard entry.start <= limit - 30, entry.start >= 0 else { throw damaged("an entry begins behind the others") }
        let head = source.bytes(entry.start..<(entry.start + 30))
        guard head.starts(with: [0x50, 0x4B, 3, 4]), head.number(at: 8, width: 2) == 0,
            let nameLength = head.number(at: 26, width: 2), let extraLength = head.number(at: 28, width: 2)
        else { throw damaged("the header of \(shown(entry.name)) is wrong") }
        let data = entry.start + 30 + nameLength + extraLength
        guard data <= limit, entry.size <= limit - data else { throw damaged("\(shown(entry.name)) is cut") }
        guard source.bytes((entry.start + 30)..<(entry.start + 30 + nameLength)).elementsEqual(entry.name.utf8) else {
            throw damaged("\(shown(entry.name)) has two names")
        }
        return (entry.start..<(data + entry.size), data..<(data + entry.size))
    }
}
