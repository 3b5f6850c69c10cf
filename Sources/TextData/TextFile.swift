internal import Foundation

/// The bytes of a whole file, checked to be UTF-8; a byte order mark is dropped.
struct TextFile {
    let bytes: [UInt8]

    enum Failure: Error, Equatable {
        case missing, folder, unreadable(String)
        case notUTF8(line: Int)
        case foreign(FileSignature)
    }

    init(path: String) throws(Failure) {
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: target) else { throw .missing }
        guard attributes[.type] as? FileAttributeType != .typeDirectory else { throw .folder }
        let bytes: [UInt8]
        do {
            bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe))
        } catch {
            throw .unreadable(String(describing: (error as NSError).localizedDescription))
        }
        try self.init(bytes)
    }

    init(_ bytes: [UInt8]) throws(Failure) {
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            if let signature = FileSignature(bytes) { throw .foreign(signature) }
            throw .notUTF8(line: bytes[..<error.byteOffsets.lowerBound].count { $0 == 0x0A } + 1)
        }
        if let signature = FileSignature(text: bytes) { throw .foreign(signature) }
        self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }
}

extension TextFile.Failure {
    /// The error and its remedy, without the path.
    var problem: String {
        switch self {
        case .missing: "there is no such file: check the path"
        case .folder: "this is a folder, expected a file: name the file in it"
        case .unreadable(let reason): "cannot be read (\(reason)): check its permissions"
        case .foreign(let signature): signature.problem
        case .notUTF8(let line): "line \(line) is not UTF-8: save the file as UTF-8"
        }
    }
}
