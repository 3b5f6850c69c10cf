/// The contents of an exchange's frame: `FrameHeader.kind` on the data plane.
package enum ExchangeKind: UInt8, Sendable {
    /// No payload: the sender's block sums of this bucket are complete, and it no longer reads the previous exchange's
    /// result.
    case published = 16
    /// No payload: the sums of all buckets in the sender's memory are complete, and it no longer reads block sums.
    case reduced = 17
    /// Elements of a partial sum, for the owner of their range.
    case partialSum = 18
    /// Elements of the finished sum.
    case total = 19
    /// Rows of a block sum for their owner, more to follow: `count` row numbers, then the rows; `offset` is the block's
    /// index.
    case rows = 20
    /// As `rows`, but the last frame.
    case lastRows = 21
    /// Finished rows from their owner, more to follow.
    case totalRows = 22
    case lastTotalRows = 23
    /// A small value that every rank sends to every other.
    case value = 24
}

/// One exchange of a generation, or one bucket of it. Every rank makes the same exchanges in the same order, each once.
package struct ExchangeID: Hashable, Sendable {
    package let step: UInt64
    package let bucket: UInt32

    package init(step: UInt64, bucket: UInt32) {
        self.step = step
        self.bucket = bucket
    }
}
