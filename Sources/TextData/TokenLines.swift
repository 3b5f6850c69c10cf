package import Foundation

/// Answers JSON lines `{"text", "pair", "max_length", "lowercase"}` with lines `{"ids", "types"}`, in order.
///
/// All but `text` may be missing or null; other keys are ignored. Input comes in chunks that may end anywhere.
package struct TokenLines {
    private let folder: URL
    private var asConfigured: WordPieceTokenizer.Scratch
    private var lowercased: WordPieceTokenizer.Scratch?
    private var cased: WordPieceTokenizer.Scratch?
    /// The start of a line whose end has not arrived yet.
    private var beginning: [UInt8] = []
    private var line = 0
    private var ids: [Int32] = []

    /// Reads the tokenizer of a model folder.
    package init(folder: URL) throws(TokenizerError) {
        self.folder = folder
        asConfigured = WordPieceTokenizer.Scratch(try WordPieceTokenizer(folder: folder))
    }

    /// Appends an answer for each line that `chunk` completes.
    ///
    /// - Throws: ``DatasetError`` that names the first bad line; `output` has the answers before it.
    package mutating func answer(_ chunk: [UInt8], to output: inout [UInt8]) throws {
        guard let last = chunk.lastIndex(of: 0x0A) else {
            beginning.append(contentsOf: chunk)
            return
        }
        let bytes = beginning.isEmpty ? chunk : beginning + chunk
        let end = bytes.count - chunk.count + last + 1
        beginning = Array(bytes[end...])
        try answerLines(of: bytes, upTo: end, to: &output)
    }

    /// Answers a last line that has no newline.
    package mutating func finish(to output: inout [UInt8]) throws {
        guard !beginning.isEmpty else { return }
        try answer([0x0A], to: &output)
    }

    private mutating func answerLines(of bytes: [UInt8], upTo end: Int, to output: inout [UInt8]) throws {
        var start = 0
        while start < end {
            let newline = bytes[start..<end].firstIndex(of: 0x0A) ?? end
            line += 1
            do {
                let request = try request(in: bytes, start..<newline)
                let shape = try append(request)
                write(shape, to: &output)
            } catch let failure as JSONCursor.Failure {
                throw DatasetError(
                    path: "standard input", line: line,
                    problem: "\(failure.problem), at byte \(failure.offset - start + 1)")
            }
            start = newline + 1
        }
    }

    private struct Request {
        var text: String?
        var pair: String?
        var maxLength: Int?
        var lowercase: Bool?
    }

    private func request(in bytes: [UInt8], _ range: Range<Int>) throws(JSONCursor.Failure) -> Request {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: bytes.span.extracting(range))
        } catch {
            throw JSONCursor.Failure(
                problem: "the line is not UTF-8", offset: range.lowerBound + error.byteOffsets.lowerBound)
        }
        var request = Request()
        var cursor = JSONCursor(bytes, in: range)
        if let first = cursor.peek(), first != UInt8(ascii: "{") {
            throw JSONCursor.Failure(
                problem: "is not a JSON object: write each text as {\"text\": \"a quiet film\"}", offset: cursor.offset)
        }
        try cursor.open("{")
        while let key = try cursor.nextKey() {
            switch key {
            case "text": request.text = try cursor.string()
            case "pair":
                request.pair = cursor.peek() == UInt8(ascii: "n") ? try Self.null(&cursor) : try cursor.string()
            case "max_length":
                let isNull = cursor.peek() == UInt8(ascii: "n")
                request.maxLength =
                    isNull ? try Self.null(&cursor) : try cursor.integer(named: key, in: 2...Int(Int32.max))
            case "lowercase": request.lowercase = try cursor.boolean(named: key)
            default: try cursor.skipValue()
            }
        }
        if cursor.peek() != nil { throw JSONCursor.Failure(problem: "text follows the object", offset: cursor.offset) }
        if request.pair != nil, let length = request.maxLength, length < WordPieceTokenizer.shortestLength {
            throw JSONCursor.Failure(
                problem: "max_length is \(length), a pair needs at least \(WordPieceTokenizer.shortestLength)",
                offset: range.lowerBound)
        }
        if request.text == nil { throw JSONCursor.Failure(problem: "\"text\" is missing", offset: range.lowerBound) }
        return request
    }

    private static func null<Value>(_ cursor: inout JSONCursor) throws(JSONCursor.Failure) -> Value? {
        let start = cursor.offset
        let literal = try cursor.literal()
        guard literal == "null" else {
            throw JSONCursor.Failure(problem: "found \(literal), expected null", offset: start)
        }
        return nil
    }

    /// Tokenizes a line, with a tokenizer of the other case if the line requests it; that one is loaded when first
    /// needed.
    private mutating func append(_ request: Request) throws(TokenizerError) -> WordPieceTokenizer.Shape {
        let text = request.text ?? ""
        ids.removeAll(keepingCapacity: true)
        switch request.lowercase {
        case nil: return asConfigured.append(text, pair: request.pair, maxLength: request.maxLength, to: &ids)
        case true?:
            if lowercased == nil { lowercased = .init(try WordPieceTokenizer(folder: folder, lowercase: true)) }
            return lowercased!.append(text, pair: request.pair, maxLength: request.maxLength, to: &ids)
        case false?:
            if cased == nil { cased = .init(try WordPieceTokenizer(folder: folder, lowercase: false)) }
            return cased!.append(text, pair: request.pair, maxLength: request.maxLength, to: &ids)
        }
    }

    private func write(_ shape: WordPieceTokenizer.Shape, to output: inout [UInt8]) {
        output.append(contentsOf: #"{"ids": ["#.utf8)
        for index in ids.indices {
            if index > 0 { output.append(contentsOf: Self.comma) }
            Self.write(ids[index], to: &output)
        }
        output.append(contentsOf: #"], "types": ["#.utf8)
        for index in 0..<shape.firstCount + shape.secondCount {
            if index > 0 { output.append(contentsOf: Self.comma) }
            output.append(index < shape.firstCount ? UInt8(ascii: "0") : UInt8(ascii: "1"))
        }
        output.append(contentsOf: "]}\n".utf8)
    }

    private static let comma: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: " ")]

    /// Decimal digits of an id, which must not be negative.
    private static func write(_ id: Int32, to output: inout [UInt8]) {
        let start = output.count
        var rest = id
        repeat {
            output.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        output[start...].reverse()
    }
}
