/// The lines of a text file, one by one, with their numbers from 1 and without their ends.
struct LineReading {
    private var bytes: [UInt8]
    private let blocks: TextBlocks
    private let path: String
    private var offset = 0
    private var number = 0

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
        while offset < bytes.count, bytes[offset] != 0x0A { offset += 1 }
        let end = offset > begin && bytes[offset - 1] == 0x0D ? offset - 1 : offset
        if offset < bytes.count { offset += 1 }
        number += 1
        return (number, String(decoding: bytes[begin..<end], as: UTF8.self))
    }
}
