/// Scratch memory that is allocated in parts and given back all at once.
///
/// After the first step of a given size an arena allocates nothing: it keeps its chunks. An arena belongs to one
/// thread at a time.
package final class Arena {
    private var chunks: [FloatBuffer] = []
    private var chunk = 0
    private var used = 0
    private let chunkSize: Int

    /// - Parameter chunkSize: minimum number of elements of a new chunk.
    package init(chunkSize: Int = 1 << 20) { self.chunkSize = chunkSize }

    /// A position in the arena to return to.
    package struct Mark {
        fileprivate let chunk: Int
        fileprivate let used: Int
    }

    package var mark: Mark { Mark(chunk: chunk, used: used) }

    /// Gives back everything taken since `mark`.
    package func release(to mark: Mark) {
        chunk = mark.chunk
        used = mark.used
    }

    package func reset() { release(to: Mark(chunk: 0, used: 0)) }

    /// `count` elements of unspecified value, aligned to a cache line.
    /// - Complexity: O(1), once chunks of this size exist.
    package func take(_ count: Int) -> FloatView {
        let rounded = (count + 15) / 16 * 16
        while chunk < chunks.count, used + rounded > chunks[chunk].count {
            chunk += 1
            used = 0
        }
        if chunk == chunks.count {
            let size = max(rounded, chunkSize)
            chunks.append(FloatBuffer(count: size, whole: size))
            used = 0
        }
        defer { used += rounded }
        return chunks[chunk].view.part(from: used, count: count)
    }

    /// Bytes that the arena holds.
    package var byteCount: Int { chunks.reduce(0) { $0 + $1.count * MemoryLayout<Float>.stride } }
}
