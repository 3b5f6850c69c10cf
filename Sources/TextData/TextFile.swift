internal import Foundation
internal import Gzip

/// The bytes of a whole file, checked to be UTF-8; a byte order mark is dropped.
struct TextFile {
    private(set) var bytes: [UInt8]
    /// Whether a byte order mark was dropped.
    private(set) var hadMark = false

    enum Failure: Error, Equatable {
        case missing, folder, unreadable(String)
        case notUTF8(line: Int)
        case foreign(FileSignature)
        case packed(Gunzip.Failure, size: Int)
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

    /// The most that a packed file may become: texts shrink to a tenth, repeated ones to a hundredth, and what needs
    /// over half the memory cannot be trained on.
    static func longest(packed: Int) -> Int {
        min(200 * packed + 64 << 20, Int(clamping: ProcessInfo.processInfo.physicalMemory / 2))
    }

    init(_ bytes: [UInt8]) throws(Failure) {
        do throws(Failure) { try self.init(following: bytes) } catch {
            if let signature = FileSignature(bytes) { throw .foreign(signature) }
            throw error
        }
        if let signature = FileSignature(text: bytes) { throw .foreign(signature) }
        hadMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
        if hadMark { self.bytes = Array(bytes.dropFirst(3)) }
    }

    /// Bytes that are not the first ones of their file.
    init(following bytes: [UInt8]) throws(Failure) {
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw .notUTF8(line: bytes[..<error.byteOffsets.lowerBound].count { $0 == 0x0A } + 1)
        }
        self.bytes = bytes
    }
}

extension TextFile.Failure {
    /// The error and its remedy, without the path.
    var problem: String {
        switch self {
        case .missing: "there is no such file: check the path"
        case .folder: "this is a folder, expected a file: name the file in it"
        case .unreadable(let reason): "cannot be read (\(reason)): check its permissions"
        case .packed(.cut, _): "is cut off, its gzip data have no end: copy or download it again"
        case .packed(.damaged(let why), _): "is damaged gzip (\(why)): copy or download it again"
        case .packed(.tooLong(let limit), let size):
            "\(size) bytes of gzip expand to more than \(limit / 1_000_000) MB: if it is meant, unpack it with gunzip"
        case .packed(.outOfMemory, _): "there is no memory to unpack it: close other programs, or use a larger machine"
        case .foreign(let signature): signature.problem
        case .notUTF8(let line): "line \(line) is not UTF-8: save the file as UTF-8"
        }
    }
}
