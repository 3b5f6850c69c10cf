/// The lines of a text file, one by one, with their numbers from 1 and without their ends.
struct LineReading {
    private var bytes: [UInt8]
    private let blocks: TextBlocks
    private let path: String
    private var offset = 0
    private var number = 0
    /// Whether a line ended in a carriage return alone.
    private(set) var hasBareReturns = false

    /// - Parameter blocks: what follows after `bytes`, which end with a line.
    init(_ bytes: [UInt8], _ blocks: TextBlocks, path: String) {
        self.bytes = bytes
        self.blocks = blocks
        self.path = path
    }

    mutating func next() throws(DatasetError) -> (number: Int, text: String)? {
        if offset == bytes.count {
            do throws(TextFile.Failure) {
                guard let next = try blocks.next() else { return nil }
                (bytes, offset) = (next, 0)
            } catch { throw DatasetError(path: path, problem: error.problem) }
        }
        let begin = offset
        let end = LineEnd.next(in: bytes, from: begin)
        offset = end.after
        if end.isBare { hasBareReturns = true }
        number += 1
        return (number, String(decoding: bytes[begin..<end.begin], as: UTF8.self))
    }
}
