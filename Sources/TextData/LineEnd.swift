/// Where lines end: at a line feed, perhaps with carriage returns before it, or at a carriage return alone.
enum LineEnd {
    static let feed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D

    /// The line end at or after `start`: where it begins, where the next line begins, and whether it is a carriage
    /// return alone. The end of the bytes ends a line too.
    static func next(in bytes: [UInt8], from start: Int) -> (begin: Int, after: Int, isBare: Bool) {
        var index = start
        while index < bytes.count, bytes[index] != feed, bytes[index] != carriageReturn { index += 1 }
        guard index < bytes.count else { return (index, index, false) }
        guard bytes[index] == carriageReturn else { return (index, index + 1, false) }
        var rest = index + 1
        while rest < bytes.count, bytes[rest] == carriageReturn { rest += 1 }
        let hasFeed = rest == bytes.count || bytes[rest] == feed
        return (index, hasFeed ? min(rest + 1, bytes.count) : index + 1, !hasFeed)
    }

    /// What is said of a file in which some lines end in a carriage return alone.
    static let note = "some of its lines end in bare carriage returns, which are read as line ends"
}
